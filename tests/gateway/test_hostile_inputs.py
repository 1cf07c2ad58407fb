"""What a client may do to harm: every operation answers with a clear problem and lives on."""

import asyncio
import base64
import contextlib
import json
import re
import unicodedata
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from gateway.settings import GatewaySettings
from tests.gateway.whole import WholeHouse, whole_house

BODY_SECONDS = 0.5
JSON = {"content-type": "application/json"}
DEEP = b"[" * 100_000 + b"]" * 100_000
# An object that no operation takes as it is, for each way of being wrong.
EVIL_BODIES: dict[str, tuple[bytes, set[str]]] = {
    "deep lists": (DEEP, {"json_too_deep"}),
    "deep objects": (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, {"json_too_deep"}),
    "deep and never closed": (b'{"a":[' * 50_000, {"json_too_deep"}),
    "no JSON": (b"{name: 1}", {"json_invalid"}),
    "cut off": (b'{"name": "L', {"json_invalid"}),
    "broken UTF-8": (b'{"name": "\xc3\x28"}', {"json_not_utf8"}),
    "UTF-16": ('{"name": "Lan"}'.encode("utf-16"), {"json_not_utf8"}),
    "a byte order mark": (b'\xef\xbb\xbf{"name": "Lan"}', {"json_invalid"}),
    "a raw NUL": (b'{"name": "a\x00b"}', {"json_invalid"}),
    "an escaped NUL": (b'{"name": "a\\u0000b"}', {"text_control_character"}),
    "a NUL in a name": (b'{"na\\u0000me": 1}', {"text_control_character"}),
    "half a surrogate pair": (b'{"name": "\\ud800"}', {"text_not_unicode"}),
    "a name twice": (b'{"name": "a", "name": "b"}', {"json_name_twice"}),
    "a number beyond doubles": (b'{"name": 1e400}', {"number_too_large"}),
    "a number of 100,000 digits": (b'{"name": ' + b"9" * 100_000 + b"}", {"number_too_large"}),
    "not a number": (b'{"name": NaN}', {"not_a_number"}),
    "infinity": (b'{"name": -Infinity}', {"not_a_number"}),
    "a list": (b"[]", set()),
    "a text": (b'"name"', set()),
    "a number": (b"7", set()),
    "null": (b"null", set()),
    "an unknown field": (b'{"__proto__": {"admin": true}}', set()),
    "too many fields": (
        json.dumps(dict.fromkeys(map(str, range(50_000)))).encode(),
        {"json_too_many_names"},
    ),
    "a million characters": (b'{"name": "' + b"x" * 1_000_000 + b'"}', set()),
}
BAD_CURSORS = [
    "x",
    "....",
    "\u202e\u0000",
    base64.urlsafe_b64encode(b"[]").decode(),
    base64.urlsafe_b64encode(b"{}").decode(),
    base64.urlsafe_b64encode(b'["9999-99-99", "x"]').decode(),
    base64.urlsafe_b64encode(b"[" * 700).decode(),
    base64.urlsafe_b64encode(b'["\\u0000", 1e400, null]').decode(),
    base64.urlsafe_b64encode(b"\xff\xfe\x00").decode(),
]


@pytest.fixture(scope="module")
async def house(gateway_settings: GatewaySettings) -> AsyncIterator[WholeHouse]:
    async with whole_house(gateway_settings, body_seconds=BODY_SECONDS) as house:
        yield house


@pytest.fixture
async def client(house: WholeHouse) -> AsyncIterator[httpx.AsyncClient]:
    async with house.client(timeout=60) as client:
        yield client


@pytest.fixture(autouse=True)
async def still_alive(house: WholeHouse) -> AsyncIterator[None]:
    yield
    async with house.client() as client:
        assert (await client.get("/v1/auth/me")).status_code == 200


@pytest.fixture(scope="module")
async def operations(house: WholeHouse) -> list[tuple[str, str, dict[str, Any]]]:
    async with house.client(timeout=60) as client:
        document = (await client.get("/openapi.json")).json()
    return [
        (method.upper(), path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in {"get", "post", "put", "patch", "delete"}
    ]


def filled(path: str, value: str | None = None) -> str:
    return re.sub(r"\{[^}]+\}", lambda _: value or str(uuid4()), path)


def is_clear(answer: httpx.Response, *, what: str) -> dict[str, Any]:
    """A problem of the 400s that says what is wrong; the request id leads to the log."""
    assert 400 <= answer.status_code < 500, f"{what}: {answer.status_code} {answer.text[:300]}"
    assert answer.headers["content-type"] == "application/problem+json", what
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == answer.status_code, what
    assert problem["code"], what
    assert problem["request_id"] == answer.headers["x-request-id"], what
    assert answer.headers["x-content-type-options"] == "nosniff", what
    return problem


def takes_json(operation: dict[str, Any]) -> bool:
    body = operation.get("requestBody", {})
    return "application/json" in body.get("content", {}) and operation.get("security") != []


@pytest.mark.parametrize("name", EVIL_BODIES)
async def test_no_operation_falls_over_a_body(
    client: httpx.AsyncClient, operations: list[Any], name: str
) -> None:
    body, codes = EVIL_BODIES[name]
    asked = [one for one in operations if takes_json(one[2])]
    assert len(asked) > 50
    for method, path, _operation in asked:
        answer = await client.request(method, filled(path), content=body, headers=JSON)
        problem = is_clear(answer, what=f"{method} {path} with {name}")
        if codes and answer.status_code == 422:
            of_body = [f for f in problem["errors"] if f["pointer"].startswith("/body")]
            faults = {fault["code"] for fault in of_body}
            assert faults <= codes, f"{method} {path}: {problem['errors']}"


async def test_no_list_falls_over_a_cursor(
    client: httpx.AsyncClient, operations: list[Any]
) -> None:
    lists = [
        path
        for method, path, operation in operations
        if method == "GET" and "cursor" in _parameters(operation)
    ]
    assert len(lists) > 15
    for path in lists:
        for cursor in BAD_CURSORS:
            answer = await client.get(filled(path), params={"cursor": cursor})
            problem = is_clear(answer, what=f"{path} with {cursor!r}")
            if answer.status_code == 422 and problem["errors"]:
                assert problem["errors"][0]["pointer"].startswith("/query"), path


async def test_no_list_falls_over_a_limit(client: httpx.AsyncClient, operations: list[Any]) -> None:
    for method, path, operation in operations:
        if method != "GET" or "limit" not in _parameters(operation):
            continue
        for limit in ("0", "-1", "201", "1e400", "9" * 5000, "NaN", "1.5", "", "\u0661"):
            answer = await client.get(filled(path), params={"limit": limit})
            if limit != "\u0661":  # an Arabic one is a one
                is_clear(answer, what=f"{path} with {limit[:20]!r}")


def _parameters(operation: dict[str, Any]) -> set[str]:
    return {
        p.get("name", p.get("$ref", "").rsplit("/", 1)[-1]) for p in operation.get("parameters", [])
    }


async def test_no_path_falls_over_what_is_no_id(
    client: httpx.AsyncClient, operations: list[Any]
) -> None:
    for value in ("%00", "%ff", "x" * 3000, "..%2f..", "%F0%9F%92%A9", "0", "%E2%80%AE"):
        for method, path, operation in operations:
            if "{" not in path or operation.get("security") == []:
                continue
            content = b"{}" if method in ("POST", "PUT", "PATCH") else None
            answer = await client.request(
                method, filled(path, value), content=content, headers=JSON
            )
            if answer.status_code not in (200, 201, 202, 204):
                is_clear(answer, what=f"{method} {path} with {value[:20]}")


class TestTexts:
    async def create(self, client: httpx.AsyncClient, name: str) -> httpx.Response:
        return await client.post("/v1/customers", json={"name": name})

    async def test_nfd_is_kept_as_nfc_and_found(self, client: httpx.AsyncClient) -> None:
        name = f"Nguyễn Thị Hằng {uuid4().hex[:6]}"
        answer = await self.create(client, unicodedata.normalize("NFD", name))
        assert answer.status_code in (200, 201)
        assert answer.json()["name"] == name
        for query in (name, unicodedata.normalize("NFD", name)):
            found = await client.get("/v1/customers", params={"q": query})
            assert [one["name"] for one in found.json()["data"]] == [name]

    @pytest.mark.parametrize(
        "text",
        [
            "ما اسمك",
            "👩‍👩‍👧‍👦" * 20,
            "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!͖̬̰̙̗̿̋ͥͥ̂ͣ̐́́͜͞",
            "' OR 1=1; DROP TABLE customer; --",
            "{{7*7}}{% raw %}",
            "%s%n%x",
            "<script>alert(1)</script>",
            "\ufeffa",
            "ﷺ" * 18,
        ],
    )
    async def test_strange_texts_come_back_as_they_went_in(
        self, client: httpx.AsyncClient, text: str
    ) -> None:
        answer = await self.create(client, text)
        assert answer.status_code in (200, 201), answer.text
        name = answer.json()["name"]
        assert name == unicodedata.normalize("NFC", text).strip()
        read = await client.get(f"/v1/customers/{answer.json()['id']}")
        assert read.json()["name"] == name

    @pytest.mark.parametrize("text", ["\u0007", "a\u0000", "a\nb", "\x7f", "", "   ", "x" * 201])
    async def test_what_is_no_name_is_named(self, client: httpx.AsyncClient, text: str) -> None:
        answer = await self.create(client, text)
        problem = is_clear(answer, what=repr(text))
        assert problem["errors"][0]["pointer"] == "/body/name"

    @pytest.mark.parametrize("query", ["q=%00", "q=%ff", "q=%ed%a0%80", "%00=1", "q=\udcff"])
    async def test_a_query_is_text(self, house: WholeHouse, query: str) -> None:
        status, problem = await raw(
            house,
            f"GET /v1/customers?{query} HTTP/1.1\r\n".encode("utf-8", "surrogateescape")
            + headers_of(house)
            + b"\r\n",
        )
        assert status in (400, 422)
        assert problem["code"] in ("invalid", "bad_request")


class TestSizes:
    async def test_ten_megabytes_are_refused_before_they_are_read(
        self, client: httpx.AsyncClient
    ) -> None:
        body = b'{"name": "' + b"x" * 10_000_000 + b'"}'
        answer = await client.post("/v1/customers", content=body, headers=JSON)
        problem = is_clear(answer, what="10 MB")
        assert (answer.status_code, problem["code"]) == (413, "too_large")
        assert problem["max_bytes"] > 0

    async def test_so_are_those_that_come_in_chunks(self, client: httpx.AsyncClient) -> None:
        async def endless() -> AsyncIterator[bytes]:
            yield b'{"name": "'
            for _ in range(2000):
                yield b"x" * 8192

        answer = await client.post("/v1/customers", content=endless(), headers=JSON)
        assert is_clear(answer, what="chunks")["code"] == "too_large"

    async def test_an_address_has_an_end(self, client: httpx.AsyncClient) -> None:
        answer = await client.get(f"/v1/customers?q={'x' * 9000}")
        assert is_clear(answer, what="9,000 characters")["code"] == "uri_too_long"
        assert answer.status_code == 414

    async def test_what_does_not_claim_to_be_json_is_not_parsed(
        self, client: httpx.AsyncClient
    ) -> None:
        for kind in (
            "text/plain",
            "application/xml",
            "multipart/form-data; boundary=x",
            "",
            "json",
        ):
            answer = await client.post(
                "/v1/customers", content=DEEP, headers={"content-type": kind}
            )
            assert is_clear(answer, what=kind)["code"] == "unsupported_media_type"
            assert answer.status_code == 415

    @pytest.mark.parametrize("length", ["1e3", "-5", "99999999999999999999", "0x10", "1, 1"])
    async def test_a_length_is_a_number(self, house: WholeHouse, length: str) -> None:
        head = b"POST /v1/customers HTTP/1.1\r\ncontent-type: application/json\r\n"
        status, problem = await raw(
            house, head + headers_of(house) + f"content-length: {length}\r\n\r\n{{}}".encode()
        )
        assert status in (400, 413)
        assert problem["code"] in ("bad_request", "too_large")


class TestHeaders:
    @pytest.mark.parametrize(
        "method", ["TRACE", "PROPFIND", "LOCK", "PURGE", "REPORT", "SEARCH", "M-SEARCH"]
    )
    async def test_weird_methods_are_not_allowed(self, house: WholeHouse, method: str) -> None:
        for path in ("/v1/customers", "/", "/pages/surveys/x", "/v1/hooks/shopify/x"):
            head = f"{method} {path} HTTP/1.1\r\n".encode()
            status, problem = await raw(house, head + headers_of(house) + b"\r\n")
            assert (status, problem["code"]) == (405, "method_not_allowed"), path

    @pytest.mark.parametrize(
        "value",
        [
            "Bearer",
            "Bearer ",
            "Basic eDp5",
            "Bearer " + "x" * 10_000,
            "Bearer \xff\xfe",
            "bearer cl_" + "0" * 82,
            "Bearer a.b.c",
            "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.",
            "Bearer ' OR 1=1 --",
        ],
    )
    async def test_bad_credentials_are_refused(self, house: WholeHouse, value: str) -> None:
        head = b"GET /v1/customers HTTP/1.1\r\nhost: x\r\nauthorization: "
        status, problem = await raw(house, head + value.encode("latin-1") + b"\r\n\r\n")
        assert (status, problem["code"]) == (401, "unauthenticated")

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("if-match", "nonsense"),
            ("if-match", '"' + "9" * 50 + '"'),
            ("idempotency-key", "x" * 256),
            ("idempotency-key", "\xe9"),
            ("idempotency-key", ""),
        ],
    )
    async def test_absurd_headers_are_named(self, house: WholeHouse, name: str, value: str) -> None:
        body = b'{"name": "Lan"}'
        head = f"PATCH /v1/customers/{uuid4()} HTTP/1.1\r\n{name}: {value}\r\n".encode("latin-1")
        rest = b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        status, problem = await raw(house, head + headers_of(house) + rest + body)
        assert status in (404, 412, 422), problem
        if status == 422:
            assert problem["errors"][0]["pointer"] == f"/header/{name}"

    async def test_nobody_names_the_tenant_or_the_principal(
        self, client: httpx.AsyncClient
    ) -> None:
        forged = {"x-careloop-principal": "x~y~z~w", "x-tenant-id": str(uuid4())}
        assert (await client.get("/v1/customers", headers=forged)).status_code == 200

    async def test_a_header_sent_twice_is_no_way_around(self, house: WholeHouse) -> None:
        twice = b"authorization: Bearer nonsense\r\n" + headers_of(house)
        status, _ = await raw(house, b"GET /v1/customers HTTP/1.1\r\n" + twice + b"\r\n")
        assert status == 401


class TestSlowClients:
    async def test_a_body_that_does_not_come_is_not_waited_for(self, house: WholeHouse) -> None:
        head = b"POST /v1/customers HTTP/1.1\r\ncontent-type: application/json\r\n"
        for length in (b"content-length: 500\r\n\r\n", b"transfer-encoding: chunked\r\n\r\n3\r\n"):
            status, problem = await raw(house, head + headers_of(house) + length + b'{"n')
            assert (status, problem["code"]) == (408, "request_timeout")

    async def test_many_slow_ones_hold_nobody_up(
        self, house: WholeHouse, client: httpx.AsyncClient
    ) -> None:
        head = b"POST /v1/customers HTTP/1.1\r\ncontent-type: application/json\r\n"
        slow = head + headers_of(house) + b"content-length: 500\r\n\r\n{"
        waiting = [asyncio.create_task(raw(house, slow)) for _ in range(150)]
        for _ in range(5):
            assert (await client.get("/v1/customers?limit=1")).status_code == 200
        assert {status for status, _ in await asyncio.gather(*waiting)} == {408}

    async def test_who_hangs_up_in_the_middle_does_no_harm(self, house: WholeHouse) -> None:
        head = b"POST /v1/customers HTTP/1.1\r\ncontent-type: application/json\r\n"
        cuts = [b"content-length: 500\r\n\r\n{", b"transfer-encoding: chunked\r\n\r\n3\r\n{"]
        for cut in cuts * 10:
            _, writer = await asyncio.open_connection("127.0.0.1", house.port)
            writer.write(head + headers_of(house) + cut)
            await writer.drain()
            writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


def headers_of(house: WholeHouse) -> bytes:
    return f"host: x\r\nauthorization: Bearer {house.key}\r\n".encode()


async def raw(house: WholeHouse, request: bytes) -> tuple[int, dict[str, Any]]:
    """Status and problem of a request sent as it stands."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    try:
        writer.write(request)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
        lines = list(_lines(head))
        length = next(int(value) for name, value in lines if name == "content-length")
        body = await asyncio.wait_for(reader.readexactly(length), 30)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    return int(head[9:12]), json.loads(body)


def _lines(head: bytes) -> Iterator[tuple[str, str]]:
    for line in head.decode("latin-1").split("\r\n")[1:]:
        name, _, value = line.partition(":")
        yield name.lower(), value.strip()
