"""JSON from strangers: the same as everybody reads, or refused with the place."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.web.strict_json import MAX_DEPTH, RefusedJson, is_too_deep, read_json

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(_TEXT, inner),
    max_leaves=30,
)


def depth_of(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 0


def refused(body: bytes) -> tuple[str, str]:
    with pytest.raises(RefusedJson) as caught:
        read_json(body)
    return caught.value.fault.pointer, caught.value.fault.code


@given(_VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_what_is_in_order_is_read_as_everybody_reads_it(
    value: Any, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert read_json(text.encode()) == json.loads(text)


@given(
    st.integers(1, 2 * MAX_DEPTH), st.lists(st.sampled_from("[{"), min_size=64, max_size=64), _TEXT
)
def test_depth_is_told_without_parsing(depth: int, kinds: list[str], text: str) -> None:
    value: Any = text + '[{"\\'
    for kind in kinds[:depth]:
        value = [value, text] if kind == "[" else {text: value, "]}": [1]}
    body = json.dumps(value).encode()
    assert is_too_deep(body) == (depth_of(value) > MAX_DEPTH)


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "/body/b/c", "json_name_twice"),
        (b'[{"a": 1, "a": 1}]', "/body/0/a", "json_name_twice"),
        (b'{"a": 1e400}', "/body/a", "number_too_large"),
        (b'{"a": [-1e999]}', "/body/a/0", "number_too_large"),
        (b'{"a": 9223372036854775808}', "/body/a", "number_too_large"),
        (b'{"a": -9223372036854775809}', "/body/a", "number_too_large"),
        (b"1" * 100_000, "/body", "number_too_large"),
        (b'{"a": NaN}', "/body/a", "not_a_number"),
        (b"[1, -Infinity]", "/body/1", "not_a_number"),
        (b'{"a/~": "x\\u0000"}', "/body/a~1~0", "text_control_character"),
        (b'{"a": {"\\u0000": 1}}', "/body/a", "text_control_character"),
        (b'{"a": "\\ud800"}', "/body/a", "text_not_unicode"),
        (b'{"a": "\\uDC00\\uD800"}', "/body/a", "text_not_unicode"),
        (b'{"\\ud83d": 1}', "/body", "text_not_unicode"),
        (b'{"a": "\xff"}', "/body", "json_not_utf8"),
        (b'{"a": "\xed\xa0\x80"}', "/body", "json_not_utf8"),
        ('{"a": 1}'.encode("utf-16"), "/body", "json_not_utf8"),
        (
            json.dumps({"a": [dict.fromkeys(map(str, range(1001)))]}).encode(),
            "/body/a/0",
            "json_too_many_names",
        ),
        (b"[" * 33 + b"]" * 33, "/body", "json_too_deep"),
        (b"[" * 1_000_000, "/body", "json_too_deep"),
        (b'{"a":' * 200_000, "/body", "json_too_deep"),
    ],
)
def test_what_is_refused_is_named(body: bytes, pointer: str, code: str) -> None:
    assert refused(body) == (pointer, code)


def test_whoever_sends_too_large_an_integer_is_told_how_large_it_may_be() -> None:
    with pytest.raises(RefusedJson) as caught:
        read_json(b'{"threshold": 9223372036854775808}')
    detail = caught.value.fault.detail
    assert "9223372036854775807" in detail
    assert "text" not in detail


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"a": 1,}', b"\xef\xbb\xbf{}", b'{"a": "\x00"}', b'"a\nb"', b"]", b"01"]
)
def test_what_is_no_json_is_no_json(body: bytes) -> None:
    with pytest.raises(json.JSONDecodeError):
        read_json(body)


def test_what_only_looks_suspicious_is_read() -> None:
    body = b'{"a": "\\ud83d\\ude00", "b": "\\\\u0000", "c": 9223372036854775807, "d": 1e308}'
    assert read_json(body)["a"] == "\U0001f600"
    assert read_json(body)["b"] == "\\u0000"


def test_one_reading_leaves_nothing_to_the_next() -> None:
    refused(b'{"a": NaN}')
    assert read_json(b'{"a": 1}') == {"a": 1}
