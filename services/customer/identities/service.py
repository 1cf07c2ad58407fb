"""Decisions about what a customer is recognised by, and since and until when."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.customers.changes import CustomerChanges
from services.customer.customers.errors import CustomerIsErased, IdentityTaken
from services.customer.customers.hearing import Hearing
from services.customer.customers.identities import (
    Identity,
    email_identity,
    phone_identity,
    platform_identity,
)
from services.customer.customers.identity_repository import CONTACTS, IdentityRepository
from services.customer.customers.recognition import is_of_several, look_alikes
from services.customer.customers.repository import CustomerRepository
from services.customer.customers.says import Speaker, with_said
from services.customer.duplicates.weighing import Weighing
from services.customer.erased.identities import ErasedIdentities
from services.customer.families.family import Families
from services.customer.families.seen import SeenPeople
from services.customer.identities.errors import (
    IdentityExists,
    IdentityLinksNobody,
    IdentityNotValid,
    PlatformIdIsForEver,
)
from services.customer.identities.repository import SingleIdentityRepository
from services.customer.identities.schemas import IdentityCreate, IdentityPatch
from services.customer.tenants.shops import Shops
from shared.audit.trail import AuditEntry, differences
from shared.db.unit_of_work import UnitOfWork
from shared.web.resources import check_version

_Row = Row[*tuple[Any, ...]]


class IdentityService:
    """What clients can do with the identities of customers whom they see."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        identities: SingleIdentityRepository,
        known: IdentityRepository,
        people: SeenPeople,
        shops: Shops,
        erased: ErasedIdentities,
        weighing: Weighing,
    ) -> None:
        self._uow = uow
        self._identities = identities
        self._known = known
        self._people = people
        self._shops = shops
        self._erased = erased
        self._weighing = weighing

    async def get(self, customer_id: UUID, identity_id: UUID) -> _Row:
        """Raises CustomerNotFound, IdentityNotFound."""
        family = await self._people.family(customer_id)
        return await self._identities.get(family.member_ids, identity_id)

    async def add(self, customer_id: UUID, given: IdentityCreate) -> _Row:
        """A further one; one that had ended is the customer's again.

        What others share is shared. Raises CustomerNotFound, CustomerIsErased, IdentityExists,
        IdentityNotValid, IdentityTaken, IdentityLinksNobody, PlatformIdIsForEver.
        """
        identity = await self._read(given)
        person_id = await self._lock(customer_id)
        if identity.kind == "platform_id" and await self._erased.erased([identity.key]):
            raise CustomerIsErased
        before = await self._identities.find(
            customer_id, kind=identity.kind, scope=identity.scope, value=identity.value
        )
        if before is not None and before.valid_until is None:
            raise IdentityExists(before.id)
        self._check_times(given.valid_from, None)
        holders = await self._known.holders([identity])
        others = [held for held in holders if held.record_id != customer_id]
        if is_of_several(identity, others):
            if identity.verified:
                raise IdentityLinksNobody
            identity = identity.of_several()
        owners = [held.customer_id for held in others if held.identifier.trusted]
        if identity.verified and owners:
            raise IdentityTaken(owners)
        now = self._uow.clock.now()
        columns = {
            **identity.as_row(customer_id),
            "valid_from": given.valid_from,
            "valid_until": None,
            "verified_at": now if identity.verified else None,
            "reason": given.reason,
        }
        if before is None:
            never = {"told_at": None, "earlier": None, "version": 1, "created_at": now}
            row = await self._identities.add({**columns, **never})
        else:
            columns |= {"id": before.id, "earlier": _earlier(before)}
            columns["valid_from"] = given.valid_from or now
            row = await self._identities.replace(before, columns)
        self._uow.record(AuditEntry.of("identity", row.id, customer_id=row.customer_id))
        if identity.kind in CONTACTS:
            await self._weighing.weigh_again([person_id])
        await self._weighing.propose(look_alikes(person_id, [identity], holders))
        return row

    async def change(
        self,
        customer_id: UUID,
        identity_id: UUID,
        given: IdentityPatch,
        *,
        expected_version: int | None,
    ) -> _Row:
        """The identity after the change.

        Raises CustomerNotFound, IdentityNotFound, PreconditionFailed, IdentityNotValid,
        IdentityTaken, IdentityLinksNobody, PlatformIdIsForEver.
        """
        root_id, before = await self._held(customer_id, identity_id)
        check_version(before.version, expected_version)
        said = given.model_dump(exclude_unset=True)
        changes = {name: new for name, new in said.items() if getattr(before, name) != new}
        if not changes:
            return before
        if before.kind == "platform_id" and changes.keys() - {"reason", "valid_from"}:
            raise PlatformIdIsForEver
        after = await self._decided(before, changes)
        row = await self._identities.replace(before, after)
        differing = differences(dict(before._mapping), dict(row._mapping))
        self._uow.record(AuditEntry.of("identity", row.id, differing, customer_id=row.customer_id))
        if row.valid_until is not None:
            await self._reach_no_more(root_id, row)
        await self._weighing.weigh_again([root_id])
        return row

    async def remove(
        self, customer_id: UUID, identity_id: UUID, *, expected_version: int | None
    ) -> None:
        """Forget it, as it never was the customer's.

        Raises CustomerNotFound, IdentityNotFound, PreconditionFailed.
        """
        root_id, before = await self._held(customer_id, identity_id)
        check_version(before.version, expected_version)
        await self._identities.remove(before)
        self._uow.record(AuditEntry.of("identity", identity_id, customer_id=before.customer_id))
        await self._reach_no_more(root_id, before)
        await self._weighing.weigh_again([root_id])

    async def _decided(self, before: _Row, changes: Mapping[str, Any]) -> dict[str, Any]:
        """All columns that a change changes."""
        now = self._uow.clock.now()
        after = {**before._mapping, **changes}
        self._check_times(after["valid_from"], after["valid_until"])
        if before.valid_until is not None and after["valid_until"] is None:
            after |= {"earlier": _earlier(before), "valid_from": changes.get("valid_from", now)}
        links_nobody = after["shared"] or after["valid_until"] is not None
        if changes.get("standing") == "verified":
            if links_nobody:
                raise IdentityLinksNobody
            await self._check_is_free(before)
            after["verified_at"] = now
        elif changes.get("standing") == "claimed":
            after["verified_at"] = None
        elif links_nobody and before.standing == "verified":
            after |= {"standing": "claimed", "verified_at": before.verified_at or before.created_at}
        return after

    async def _check_is_free(self, row: _Row) -> None:
        identity = Identity(row.kind, row.value, row.original, "verified", row.source, row.scope)
        holders = await self._known.holders([identity])
        others = [held for held in holders if held.customer_id != row.customer_id]
        if is_of_several(identity, others):
            raise IdentityLinksNobody
        owners = [held.customer_id for held in others if held.identifier.trusted]
        if owners:
            raise IdentityTaken(owners)

    async def _reach_no_more(self, root_id: UUID, row: _Row) -> None:
        """What is somebody else's now must not be where this person is written to."""
        if row.kind == "platform_id":
            return
        changes = CustomerChanges(self._uow)
        await changes.lock([root_id])
        if getattr(changes[root_id], row.kind) == row.value:
            speaker = Speaker.deciding(self._uow.actor, at=self._uow.clock.now())
            await Hearing(self._uow, changes).hear(root_id, {row.kind: None}, speaker)
            await changes.save()
        if row.customer_id != root_id:
            await self._take_from_record(row)

    async def _take_from_record(self, row: _Row) -> None:
        """Nor may it come back with the record that it was of, when that parts from the person."""
        customers = CustomerRepository(self._uow)
        [record] = await customers.records([row.customer_id])
        if getattr(record, row.kind) == row.value:
            after = record.merged({row.kind: None}, at=self._uow.clock.now())
            provenance = with_said(record, {row.kind: None})
            await customers.save([replace(after, provenance=provenance)])

    def _check_times(self, valid_from: Any, valid_until: Any) -> None:
        now = self._uow.clock.now()
        for name, at in (("valid_from", valid_from), ("valid_until", valid_until)):
            if at is not None and at > now:
                raise IdentityNotValid(f"/body/{name}", "in_the_future", "It is not so yet")
        if valid_from is not None and valid_until is not None and valid_until < valid_from:
            fault = "It ends before it begins"
            raise IdentityNotValid("/body/valid_until", "ends_before_it_begins", fault)

    async def _lock(self, customer_id: UUID) -> UUID:
        """The record that stands for the person. Raises CustomerNotFound, CustomerIsErased."""
        await self._people.family(customer_id)
        await Families(self._uow).lock(customer_id)
        return (await self._people.unerased(customer_id)).root_id

    async def _held(self, customer_id: UUID, identity_id: UUID) -> tuple[UUID, _Row]:
        """The record that stands for the person, and the identity of one of their records."""
        await self._people.family(customer_id)
        family = await Families(self._uow).lock(customer_id)
        row = await self._identities.get(family.member_ids, identity_id, lock=True)
        return family.root_id, row

    async def _read(self, given: IdentityCreate) -> Identity:
        """The identity, normalised. Raises IdentityNotValid, PlatformIdIsForEver."""
        if given.kind == "platform_id":
            if given.shared:
                raise PlatformIdIsForEver
            return platform_identity(given.value[:200], source=given.source)
        verified, source = given.standing == "verified", given.source
        region = (await self._shops.of(self._uow)).country
        if given.kind == "email":
            identity = email_identity(given.value, source=source, verified=verified)
        else:
            identity = phone_identity(given.value, source=source, verified=verified, region=region)
        if identity is None:
            raise IdentityNotValid("/body/value", given.kind, f"This is no {given.kind}")
        return identity.of_several() if given.shared else identity


def _earlier(before: _Row) -> list[dict[str, Any]]:
    """The times in which it was theirs, with the one that has ended."""
    ended = {
        "valid_from": before.valid_from.isoformat() if before.valid_from else None,
        "valid_until": before.valid_until.isoformat(),
    }
    return [*(before.earlier or []), ended]
