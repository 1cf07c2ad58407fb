"""Decisions about consents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.consents.errors import ConsentTextNotFound
from services.customer.consents.recording import Answer, ConsentRecorder
from services.customer.consents.repository import ConsentRepository
from services.customer.consents.schemas import ConsentCreate
from services.customer.consents.text_repository import ConsentTextRepository
from services.customer.customers.changes import CustomerChanges
from services.customer.customers.current_consents import consents_at
from services.customer.customers.repository import unerased
from services.customer.families.seen import SeenPeople
from shared.audit.trail import Actor
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.errors import FieldError, Invalid
from shared.security.sight import Sight


@dataclass(frozen=True, slots=True)
class Consents:
    """A page of the ledger, and what counts, or counted at the moment that was asked for."""

    rows: Sequence[Row[*tuple[Any, ...]]]
    next_cursor: str | None
    current: Sequence[Mapping[str, Any]]


class ConsentService:
    """What clients can do with consents."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        consents: ConsentRepository,
        texts: ConsentTextRepository,
        people: SeenPeople,
        sight: Sight | None,
        actor: Actor,
    ) -> None:
        self._uow = uow
        self._consents = consents
        self._texts = texts
        self._people = people
        self._sight = sight
        self._actor = actor

    async def record(self, customer_id: UUID, given: ConsentCreate) -> dict[str, Any]:
        """The ledger's new row; the answer counts from now on, unless a later one is known.

        Raises CustomerNotFound, CustomerIsErased; Invalid for an answer of the future, one that has
        expired before it was given, and a text of something else.
        """
        changes = CustomerChanges(self._uow, sight=self._sight)
        await changes.lock([customer_id])
        unerased(changes[customer_id])
        now = self._uow.clock.now()
        if given.at is not None and given.at > now:
            fault = FieldError("/body/at", "future", "The time has not come yet")
            raise Invalid(errors=[fault])
        if given.expires_at is not None and given.expires_at <= (given.at or now):
            detail = "It has to be later than the answer"
            raise Invalid(errors=[FieldError("/body/expires_at", "not_after_the_answer", detail)])
        said = given.model_dump(exclude={"at", "client_ip"})
        answer = Answer(
            **{**said, **await self._worded(given)},
            customer_id=customer_id,
            at=given.at or now,
            actor_kind=self._actor.kind,
            actor_id=self._actor.id,
            client_ip=str(given.client_ip) if given.client_ip is not None else None,
        )
        rows = await ConsentRecorder(uow=self._uow, changes=changes).record([answer])
        await changes.save()
        return {**rows[0], "evidence_digest": None}

    async def list_of(
        self,
        customer_id: UUID,
        request: PageRequest,
        *,
        as_of: datetime | None,
        known_at: datetime | None,
    ) -> Consents:
        """What counts of a person, or counted `as_of`, and a page of the ledger until then.

        With `known_at`, by what was recorded until then only. Raises CustomerNotFound.
        """
        family, root = await self._people.person(customer_id)
        rows, cursor = await self._consents.list_of(
            family.member_ids, request, as_of=as_of, known_at=known_at
        )
        now = self._uow.clock.now()
        if as_of is None and known_at is None:
            return Consents(rows, cursor, consents_at(root.consents, now))
        counted = await self._consents.in_force(
            family.member_ids, as_of=as_of or now, known_at=known_at or now
        )
        current = consents_at([dict(row._mapping) for row in counted], as_of or now)
        return Consents(rows, cursor, current)

    async def _worded(self, given: ConsentCreate) -> dict[str, Any]:
        """What an answer takes over from the wording it was given to."""
        if given.text_id is None:
            return {}
        try:
            text = await self._texts.get(given.text_id)
        except ConsentTextNotFound as error:
            raise Invalid(errors=[_fault("unknown", "There is no such text")]) from error
        if text.purpose != given.purpose or given.channel not in text.channels:
            raise Invalid(errors=[_fault("other_purpose", "The text is about something else")])
        promised = given.frequency.model_dump() if given.frequency else text.frequency
        return {"text_digest": text.digest, "frequency": promised}


def _fault(code: str, detail: str) -> FieldError:
    return FieldError("/body/text_id", code, detail)
