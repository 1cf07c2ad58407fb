"""What must not stand in a log does not, and what helps does."""

import io
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.opaque import OpaqueToken
from shared.ids import TenantId, new_id
from shared.observability.redaction import HIDDEN, RedactingFormatter, redact, redact_event
from shared.security.keys import SecretBox
from shared.security.link_tokens import LinkTarget, LinkTokens

KEY = "k" * 40
TENANT = TenantId(new_id())
API_KEY = OpaqueToken.issue("cl", TENANT).text
SEALED = SecretBox(KEY).seal({"password": "x"})
LINK = LinkTokens(root_key=KEY, purpose="survey").mint(LinkTarget(TENANT, new_id()))
JWT = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0."
    "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"no key {API_KEY} known", API_KEY),
        (f"token {JWT} expired", JWT),
        (f"Authorization: Bearer {API_KEY}", API_KEY),
        ("Authorization: Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA=="),
        (f"cannot open {SEALED}", SEALED),
        ("hash $argon2id$v=19$m=65536,t=3,p=4$abc$def refused", "m=65536"),
        ("key op_test-operator-key-0123456789 refused", "op_test-operator-key-0123456789"),
        ("signed with whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("postgresql+asyncpg://postgres:s3cr3t@db/careloop", "s3cr3t"),
        ("redis://:hunter22@127.0.0.1:6379/0", "hunter22"),
        ('{"password": "mật-khẩu-1", "a": 1}', "mật-khẩu-1"),
        ("password=abcd1234&next=/", "abcd1234"),
        ("client_secret: 'abcd1234'", "abcd1234"),
        (f"GET /pages/surveys/{LINK} failed", LINK),
        ("mailbox duc.nguyen+shop@example.com.vn is full", "duc.nguyen+shop@example.com.vn"),
        ("called +84912345678 twice", "+84912345678"),
        ("called +84 912 345 678 twice", "912 345 678"),
        ("called 0912345678 twice", "0912345678"),
        ("called 0912.345.678 twice", "0912.345.678"),
        ("called 01695678945 twice", "01695678945"),
        ("Key (tenant_id, email_key)=(1, lan@shop.vn) already exists", "lan@shop.vn"),
    ],
    # Some are made anew in each process, and the processes of a run must agree on names.
    ids=lambda _value: "",
)
def test_a_secret_is_hidden(text: str, secret: str):
    assert secret not in redact(text)
    assert HIDDEN in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "request_answered",
        "01920a3e-7c1b-7def-8a3b-0123456789ab",
        "01920a3e7c1b7def8a3b0123456789ab",
        "/v1/customers/01920a3e-7c1b-7def-8a3b-0123456789ab/orders",
        "2026-11-05T09:30:00.123456Z",
        "position 12345678 of 98765432",
        'duplicate key value violates unique constraint "uq_staff_email"',
        "127.0.0.1:6379",
        "POST /v1/api-keys answered 201 in 12.3 ms",
        "T-000045 and KH000123",
    ],
)
def test_what_helps_stays(text: str):
    assert redact(text) == text


@given(st.text())
def test_redacting_again_changes_nothing(text: str):
    once = redact(text)
    assert redact(once) == once


def test_fields_are_hidden_by_their_name_and_by_what_is_in_them():
    event = {
        "event": "odd",
        "password": "short",
        "api_key": "a",
        "sealed_secret": "b",
        "detail": {"refresh_token": "c", "list": ["lan@shop.vn", 1]},
        "error": ValueError("stays an exception for the renderer"),
        "raw": b"to lan@shop.vn",
        "count": 3,
        "tokens_left": 12,
    }
    done = redact_event(None, "info", dict(event))
    assert done["password"] == done["api_key"] == done["sealed_secret"] == HIDDEN
    assert done["detail"] == {"refresh_token": HIDDEN, "list": [HIDDEN, 1]}
    assert done["raw"] == f"to {HIDDEN}"
    assert (done["count"], done["tokens_left"], done["event"]) == (3, 12, "odd")


def test_records_of_libraries_are_redacted_with_their_tracebacks():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(RedactingFormatter())
    logger = logging.getLogger("some.library")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        raise ConnectionError("redis://:hunter22@127.0.0.1:6379/0")
    except ConnectionError:
        logger.exception("cannot reach %s", "lan@shop.vn")
    finally:
        logger.removeHandler(handler)
        logger.propagate = True
    told = stream.getvalue()
    assert "Traceback" in told
    assert "hunter22" not in told
    assert "lan@shop.vn" not in told
