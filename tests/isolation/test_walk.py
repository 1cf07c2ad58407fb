"""Every operation of the API, asked for another shop's objects with every credential of one's own.

What is proved: no such request succeeds on what is theirs, none fails on our side, none tells
anything of theirs, and none is answered otherwise than for an object that does not exist.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.ids import new_id
from tests.isolation.answers import comparable, ids_in, ids_of
from tests.isolation.bodies import Bodies
from tests.isolation.conftest import Neighbours
from tests.isolation.furnishing import ORIGIN
from tests.isolation.kinds import NATURAL
from tests.isolation.operations import Description, Operation
from tests.isolation.requests import Sender, Things, Variant, absent_twins, tampered, variants_of
from tests.isolation.rows import Rows, changes, settled_rows_of

NOTHING_FOREIGN = Variant(frozenset())

HARMLESS = {
    # Who was never in our team is not in it afterwards either.
    ("teams.removeMember", "staff"),
}
"""What may succeed though their object is named in the path, since it is not asked for."""

REFUSED_TO_OURSELVES = {
    "assignmentRules.reassign": {422},  # from somebody to the same
    "assignmentRules.handOver": {422},  # the same
    # Made-up words are nobody's password, code or token.
    "auth.changePassword": {422},
    "auth.confirmPasswordReset": {404},
    "auth.disableSecondFactor": {422},
    "auth.enrolSecondFactor": {422},
    "auth.login": {401},
    "auth.loginSecondFactor": {401},
    "auth.renewRecoveryCodes": {422},
    "auth.logout": {204},
    "auth.refresh": {401},
    "hooks.confirm": {404},  # this platform never asks
    "hooks.receive": {401},  # not signed
    "jobs.errors": {404},  # the job has made no file
    "jobs.result": {404},
    "leadForms.send": {422},  # its page was never opened
    "privacyRequests.getReceipt": {404},  # nobody was erased
    "referrals.create": {409},  # nobody brings themselves
    "reviews.vote": {200, 404},  # rejected by then, where the walk has come there first
    "tasks.listCalls": {422},  # a program has no calls of its own
    "tenants.create": {403},  # the operator's
}
"""What even a shop with the right objects is told, where that is not success."""


@dataclass
class Walk:
    """The walk through all operations, and what was wrong on the way."""

    neighbours: Neighbours
    sender: Sender
    theirs: Things
    absent: Things
    their_ids: set[str]
    said: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    asked: int = 0

    async def visit(
        self, operation: Operation, variant: Variant, name: str, credential: str | None
    ) -> None:
        """Ask for their objects and for objects that do not exist; compare."""
        headers = {"origin": ORIGIN} if name == "publishable" else {}
        theirs, absent = [
            await self.sender.send(
                operation, variant, things, credential=credential, headers=headers
            )
            for things in (self.theirs, self.absent)
        ]
        self.asked += 2
        where = f"{operation} as {name}, {variant}"
        self.said |= set(theirs.named.values())
        self._look_at(where, theirs.answer)
        if theirs.answer.is_success and any(
            place.where == "path"
            and place.kind not in NATURAL
            and (operation.id, place.kind) not in HARMLESS
            for place in variant.foreign
        ):
            self.faults.append(f"{where}: {theirs.answer.status_code} {theirs.answer.text[:300]}")
        expected = comparable(absent.answer, absent.named)
        if (told := comparable(theirs.answer, theirs.named)) != expected:
            self.faults.append(f"{where}: theirs {told}, absent {expected}")

    async def visit_own(self, operation: Operation) -> None:
        """Ask for one's own: the request of the walk is one that would have succeeded."""
        credentials = self.neighbours.ours.credentials
        for name in ("api_key", "owner"):
            sent = await self.sender.send(
                operation, NOTHING_FOREIGN, {}, credential=credentials[name]
            )
            if sent.answer.status_code != 403:
                break
        self._look_at(f"{operation}, our own", sent.answer)
        expected = REFUSED_TO_OURSELVES.get(operation.id)
        status = sent.answer.status_code
        # 409: it was found, and is not in the state for it (any more).
        if status not in expected if expected else not (sent.answer.is_success or status == 409):
            self.faults.append(
                f"{operation}: the request does not even work on one's own object ({status} "
                f"{sent.answer.text[:300]}); see tests/isolation/bodies.py"
            )

    def _look_at(self, where: str, answer: httpx.Response) -> None:
        """Nothing is told of theirs but the ids that we have said ourselves."""
        if answer.status_code >= 500:
            self.faults.append(f"{where}: {answer.status_code} {answer.text[:300]}")
        told = ids_in(answer) & self.their_ids - {value.replace("-", "") for value in self.said}
        text = answer.text
        for value in self.said:
            text = text.replace(value, "")
        if told or self.neighbours.theirs.marker in text:
            self.faults.append(f"{where}: tells of theirs: {told or text[:300]}")


@pytest.fixture(scope="module")
async def before(neighbours: Neighbours, admin: AsyncEngine) -> Rows:
    """Their rows before anybody asks for them."""
    tenants = [shop.tenant_id for shop in (neighbours.theirs, neighbours.ours)]
    return (await settled_rows_of(admin, *tenants))[tenants[0]]


@pytest.fixture(scope="module")
async def walk(
    neighbours: Neighbours, before: Rows, description: Description, http: httpx.AsyncClient
) -> Walk:
    ours, theirs = neighbours.ours, neighbours.theirs
    token = await ours.post("/v1/shopper-tokens", {"customer_id": theirs.things["customer"]})
    ours.credentials["shopper with their customer"] = token["token"]
    return Walk(
        neighbours=neighbours,
        sender=Sender(http, ours, Bodies(description)),
        theirs=tampered(theirs.things, ours.things),
        absent=absent_twins(theirs.things),
        their_ids=set().union(*(ids_of(row) for rows in before.values() for row in rows)),
    )


def test_everything_that_a_path_names_was_made(
    neighbours: Neighbours, description: Description
) -> None:
    missing = {
        f"{operation}: {place}"
        for operation in description.operations()
        for place in operation.places
        if place.kind not in neighbours.theirs.things
    }
    assert missing == set(), "make one in tests/isolation/furnishing.py"


@pytest.mark.capability(28)
async def test_our_own_is_told_without_anything_of_theirs(
    walk: Walk, description: Description
) -> None:
    for operation in description.operations():
        if operation.method == "get":
            await walk.visit_own(operation)
    assert not walk.faults, "\n".join(walk.faults)


@pytest.mark.capability(28)
async def test_what_is_theirs_is_as_if_it_did_not_exist(
    walk: Walk, description: Description
) -> None:
    walk.faults.clear()
    for operation in description.operations():
        for number, variant in enumerate(variants_of(operation)):
            for name, credential in _credentials(walk, few=number > 0):
                await walk.visit(operation, variant, name, credential)
    assert walk.asked > 3000
    assert not walk.faults, "\n".join(walk.faults)


@pytest.mark.capability(28)
async def test_the_same_requests_work_on_our_own(walk: Walk, description: Description) -> None:
    walk.faults.clear()
    for operation in description.operations():
        await walk.visit_own(operation)
    assert not walk.faults, "\n".join(walk.faults)


@pytest.mark.capability(28)
async def test_nothing_of_theirs_has_changed(walk: Walk, before: Rows, admin: AsyncEngine) -> None:
    tenants = [shop.tenant_id for shop in (walk.neighbours.theirs, walk.neighbours.ours)]
    after = (await settled_rows_of(admin, *tenants))[tenants[0]]
    assert sum(map(len, after.values())) > 100
    differing = changes(before, after)
    assert not differing, "\n".join(f"{table}: {rows}" for table, rows in differing.items())


def _credentials(walk: Walk, *, few: bool) -> Iterator[tuple[str, str | None]]:
    """Every credential of ours; a few for the finer variants of one request."""
    for name, credential in walk.neighbours.ours.credentials.items():
        if not few or name in ("api_key", "shopper with their customer"):
            yield name, credential
    if few:
        return
    yield "nobody", None
    yield "somebody with garbage", f"cl_{new_id().hex}"
