"""The requests of the walk: which of the objects they name are whose."""

import asyncio
import base64
import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx

from shared.ids import new_id
from tests.isolation.bodies import Bodies, plain
from tests.isolation.furnishing import Shop
from tests.isolation.kinds import COMMON
from tests.isolation.operations import Operation, Place

Things = Mapping[str, str]

A_MOMENT = 0.5


@dataclass(frozen=True)
class Variant:
    """One way to ask for what is not one's own; everything else that is named is one's own."""

    foreign: frozenset[Place]
    if_match: str | None = None

    def __str__(self) -> str:
        named = ", ".join(sorted(map(str, self.foreign))) or "nothing foreign"
        return f"{named}, If-Match {self.if_match}" if self.if_match else named


@dataclass(frozen=True)
class Sent:
    """A request that was sent, what it named, and the answer."""

    answer: httpx.Response
    named: Things


def variants_of(operation: Operation) -> Iterator[Variant]:
    """All objects of the path at once, each named object alone, and with a version expected."""
    in_path = frozenset(
        place for place in operation.places if place.where == "path" and place.kind not in COMMON
    )
    seen = {in_path} if in_path else set()
    if in_path:
        yield Variant(in_path)
        if "if-match" in operation.headers:
            yield Variant(in_path, '"1"')
            yield Variant(in_path, '"999999"')
    for place in operation.places:
        if place.kind not in COMMON and frozenset({place}) not in seen:
            yield Variant(frozenset({place}))


def absent_twins(theirs: Things) -> dict[str, str]:
    """For each of their objects another of the same form that exists nowhere."""
    return {kind: _twin(kind, value) for kind, value in theirs.items()}


def tampered(theirs: Things, own: Things) -> dict[str, str]:
    """Their objects as an outsider can name them.

    Who holds a link may follow it, so instead of their links these are forgeries: their tenant and
    their object, under the seal of a link of one's own.
    """
    forged = {kind: value for kind, value in theirs.items() if not kind.endswith("_token")}
    for kind in theirs.keys() - forged.keys():
        forged[kind] = _encoded(_decoded(theirs[kind])[:32] + _decoded(own[kind])[32:])
    return forged


class Sender:
    """Sends requests of one shop that name objects of others."""

    def __init__(self, http: httpx.AsyncClient, shop: Shop, bodies: Bodies) -> None:
        self._http = http
        self._shop = shop
        self._bodies = bodies

    async def send(
        self,
        operation: Operation,
        variant: Variant,
        foreign: Things,
        *,
        credential: str | None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Sent:
        """Ask for what is foreign, with a credential of the shop's own."""
        named: dict[str, str] = {}

        def value_of(place: Place) -> str:
            value = (foreign if place in variant.foreign else self._shop.things)[place.kind]
            if place in variant.foreign:
                named[place.kind] = value
            return value

        path, asked = operation.path, dict(query or {})
        for name, schema in operation.required_query.items():
            asked[name] = str(plain(schema))
        for place in operation.places:
            if place.where == "path":
                text = value_of(place)
                path = path.replace(f"{{{place.name}}}", quote(text, safe=""))
            elif place.where == "query" and (
                place in variant.foreign or place.name in operation.required_query
            ):
                asked[place.name] = value_of(place)
        given = {"authorization": f"Bearer {credential}"} if credential else {}
        if variant.if_match:
            given["if-match"] = variant.if_match
        options: dict[str, Any] = {"params": asked, "headers": {**given, **(headers or {})}}
        if operation.body is not None:
            options |= await self._content(operation, variant, value_of)
        try:
            answer = await self._ask(operation.method.upper(), path, options)
        except httpx.TimeoutException as error:
            raise AssertionError(f"{operation} does not answer") from error
        return Sent(answer, named)

    async def _ask(self, method: str, path: str, options: dict[str, Any]) -> httpx.Response:
        """The answer; of one that never ends, what comes within a moment."""
        async with self._http.stream(method, path, **options) as answer:
            if not answer.headers.get("content-type", "").startswith("text/event-stream"):
                await answer.aread()
                return answer
            heard = b""
            with suppress(TimeoutError):
                async with asyncio.timeout(A_MOMENT):
                    async for chunk in answer.aiter_bytes():
                        heard += chunk
            return httpx.Response(answer.status_code, headers=answer.headers, content=heard)

    async def _content(self, operation: Operation, variant: Variant, value_of: Any) -> Any:
        places = {place.name: place for place in operation.places if place.where == "body"}
        resource = None
        if operation.method == "put":
            resource = await self._resource(operation)
        body = self._bodies.make(operation, lambda name, _: value_of(places[name]), resource)
        if operation.media_type == "application/x-www-form-urlencoded":
            return {"data": body}
        if operation.media_type == "application/octet-stream":
            return {"content": str(body).encode()}
        return {"json": body}

    async def _resource(self, operation: Operation) -> Any:
        """The shop's own resource at the path, to be put back."""
        path = operation.path
        for place in operation.places:
            if place.where == "path":
                own = self._shop.things[place.kind]
                path = path.replace(f"{{{place.name}}}", quote(own, safe=""))
        answer = await self._shop.call("GET", path)
        return answer.json() if answer.status_code == 200 else None


def _twin(kind: str, value: str) -> str:
    if kind in COMMON:
        return value
    if kind.endswith("_token"):
        return _encoded(secrets.token_bytes(len(_decoded(value))))
    if kind.endswith("_code"):
        return f"{value.rstrip('0123456789')}{secrets.randbelow(10**6) + 8 * 10**6}"
    try:
        UUID(value)
    except ValueError:
        # Words: the same but for the end, so that they are as long and of the same alphabet.
        end = secrets.token_hex(4)
        head, at, domain = value.partition("@")
        return f"{head[:-8]}{end}{at}{domain}"
    return str(new_id())


def _decoded(token: str) -> bytes:
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
