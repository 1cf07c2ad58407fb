"""Decisions about customers: who is new, who changes how, who may be the same person."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.assignment.assigning import Assigner
from services.customer.assignment.choosing import Choice
from services.customer.colleagues.errors import UnknownStaff
from services.customer.colleagues.repository import ColleagueRepository
from services.customer.customers.calendar import Calendar
from services.customer.customers.changes import CustomerChanges
from services.customer.customers.errors import (
    CustomerIsErased,
    IdentityHasEnded,
    IdentityTaken,
    NotYetBorn,
    PhoneNotValid,
)
from services.customer.customers.hearing import Hearing
from services.customer.customers.identities import (
    Identity,
    distinct,
    email_identity,
    is_placeholder_email,
    phone_identity,
    platform_identity,
)
from services.customer.customers.identity_repository import (
    CONTACTS,
    IdentityRepository,
    ended_contacts,
)
from services.customer.customers.new_customers import NewCustomer, NewCustomers
from services.customer.customers.profile import (
    NESTED,
    merged_profile,
    nested_profile,
    split_profile,
)
from services.customer.customers.recognition import Recognition, is_of_several, look_alikes
from services.customer.customers.record import (
    CustomerRecord,
    changed_entry,
    created_entry,
    new_record,
)
from services.customer.customers.repository import CustomerRepository, unerased
from services.customer.customers.says import FIELD_COLUMNS, Speaker, first_said
from services.customer.customers.schemas import (
    CustomerCreate,
    CustomerFields,
    CustomerPatch,
    CustomerUpsert,
)
from services.customer.duplicates.repository import DuplicateRepository
from services.customer.duplicates.weighing import Weighing
from services.customer.erased.identities import ErasedIdentities
from services.customer.fields.checking import FieldRules
from services.customer.tenants.shops import Shop, Shops
from services.customer.timeline.repository import TimelineRepository
from shared.audit.trail import AuditEntry
from shared.contracts.customer import CustomerCreated
from shared.db.codes import CodeAllocator
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.security.sight import Sight
from shared.web.resources import check_version

_NOT_COLUMNS = {"email_verified", "phone_verified", "external_id", "external_ids", "came_back"}


class CustomerService:
    """What clients can do with customers, as far as they see them."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        customers: CustomerRepository,
        identities: IdentityRepository,
        duplicates: DuplicateRepository,
        timeline: TimelineRepository,
        colleagues: ColleagueRepository,
        codes: CodeAllocator,
        shops: Shops,
        sight: Sight | None,
        erased: ErasedIdentities,
        rules: FieldRules,
        weighing: Weighing,
    ) -> None:
        self._uow = uow
        self._sight = sight
        self._customers = customers
        self._identities = identities
        self._changes = CustomerChanges(uow, sight=sight)
        self._hearing = Hearing(uow, self._changes)
        self._assigner = Assigner(uow)
        self._rules = rules
        self._colleagues = colleagues
        self._duplicates = duplicates
        self._timeline = timeline
        self._codes = codes
        self._erased = erased
        self._weighing = weighing
        self._shops = shops

    async def calendar(self) -> Calendar:
        """What day it is in the shop."""
        return Calendar.of(await self._shops.of(self._uow), self._uow.clock.now())

    async def get(self, customer_id: UUID) -> CustomerRecord:
        """Raises CustomerNotFound."""
        return await self._customers.get(customer_id)

    async def get_by_code(self, code: str) -> CustomerRecord:
        """The customer with a human code, in upper or lower case. Raises CustomerNotFound."""
        return await self._customers.get_by_code(code.upper())

    async def identities_of(self, customer_id: UUID) -> Sequence[Row[*tuple[Any, ...]]]:
        """What a customer can be recognised by, by whichever of their records, oldest first.

        Raises CustomerNotFound.
        """
        await self._customers.get(customer_id)
        return await self._identities.list_of_person(customer_id)

    async def create(self, given: CustomerCreate) -> CustomerRecord:
        """A new customer, even if others look alike: those become duplicate candidates.

        Raises IdentityTaken when an external id, or an address or number given as verified,
        belongs to somebody already; CustomerIsErased when an external id was an erased person's;
        PhoneNotValid when the number cannot be dialled; UnknownStaff; NotYetBorn; ValuesNotValid.
        """
        shop = await self._shops.of(self._uow)
        await self._check(given)
        ids = [platform_identity(x.external_id, source=x.source) for x in given.external_ids]
        identities = distinct([*ids, *_contacts(given, given.source, shop)])
        await self._require_nobody_erased(ids, came_back=given.came_back)
        said = {**_said(given), "source": given.source}
        by_hand = self._uow.actor.kind == "staff"
        return await self._add(said, identities, shop, self._deciding() if by_hand else None)

    async def change(
        self, customer_id: UUID, given: CustomerPatch, *, expected_version: int | None
    ) -> CustomerRecord:
        """The customer after the change; one that changes nothing leaves the version as it is.

        Raises CustomerNotFound, PreconditionFailed, PhoneNotValid, UnknownStaff, NotYetBorn,
        ValuesNotValid, IdentityHasEnded.
        """
        await self._changes.lock([customer_id])
        check_version(self._changes[customer_id].version, expected_version)
        await self._check(given)
        shop = await self._shops.of(self._uow)
        identities = distinct(_contacts(given, "api", shop))
        holders = await self._identities.holders(identities)
        person_id = self._changes[customer_id].id
        # What another record of the same person has proved need not be proved again.
        proved = {
            (known.identifier.kind, known.identifier.source, known.identifier.value)
            for known in holders
            if known.identifier.trusted
            and known.customer_id == person_id
            and known.record_id != customer_id
        }
        own = [i.claimed() if i.key in proved else i for i in identities]
        own = [i.of_several() if is_of_several(i, holders) else i for i in own]
        after = await self._merge(customer_id, _said(given), own, self._deciding())
        await self._weighing.propose(look_alikes(person_id, identities, holders))
        return after

    async def upsert(
        self, *, source: str, external_id: str, given: CustomerUpsert
    ) -> tuple[CustomerRecord, bool]:
        """The customer whom `source` knows by `external_id`, changed or new (then True).

        A verified address or number also leads to the customer who has it verified. Raises
        PhoneNotValid, UnknownStaff, NotYetBorn, ValuesNotValid, CustomerIsErased; CustomerNotFound
        when it is somebody the caller does not see.
        """
        await self._check(given)
        shop = await self._shops.of(self._uow)
        platform = platform_identity(external_id, source=source)
        identities = distinct([platform, *_contacts(given, source, shop)])
        said = {**_said(given), "source": source}
        try:
            async with self._uow.savepoint():
                return await self._put(said, platform, identities, shop, came_back=given.came_back)
        except IdentityTaken:
            # Someone else has just brought the same person: now they can be seen.
            self.start_anew()
            return await self._put(said, platform, identities, shop, came_back=given.came_back)

    def start_anew(self) -> None:
        """Forget what was read of customers: what became of it was undone, and its lock with it."""
        self._changes = CustomerChanges(self._uow, sight=self._sight)
        self._hearing = Hearing(self._uow, self._changes)

    async def _check(self, given: CustomerFields) -> None:
        """Raises UnknownStaff, NotYetBorn."""
        if given.owner_id is not None and not await self._colleagues.is_active(given.owner_id):
            raise UnknownStaff("/body/owner_id")
        lunar = given.birth_date_lunar
        for field, born in (
            ("birth_date", given.birth_date),
            ("birth_date_lunar", lunar.solar() if lunar is not None else None),
        ):
            if born is not None and born > (await self.calendar()).today:
                raise NotYetBorn(field)

    async def _require_nobody_erased(self, ids: Sequence[Identity], *, came_back: bool) -> None:
        """Raises CustomerIsErased for ids of somebody erased, unless they have come back."""
        gone = await self._erased.erased([identity.key for identity in ids])
        if gone and not came_back:
            raise CustomerIsErased
        await self._erased.forget(gone)

    async def _put(
        self,
        said: dict[str, Any],
        platform: Identity,
        identities: Sequence[Identity],
        shop: Shop,
        *,
        came_back: bool,
    ) -> tuple[CustomerRecord, bool]:
        recognition = await Recognition.of(self._identities, self._duplicates, identities)
        if recognition.owner(platform) is None:
            await self._require_nobody_erased([platform], came_back=came_back)
        found = recognition.recognise(identities)
        if found.is_new:
            return await self._add(said, found.identities, shop), True
        await self._changes.lock([found.customer_id])
        speaker = Speaker(said["source"], self._uow.clock.now())
        after = await self._merge(found.customer_id, said, found.identities, speaker)
        await self._weighing.propose(found.proposals)
        return after, False

    def _deciding(self) -> Speaker:
        return Speaker.deciding(self._uow.actor, at=self._uow.clock.now())

    async def _add(
        self,
        said: dict[str, Any],
        identities: Sequence[Identity],
        shop: Shop,
        speaker: Speaker | None = None,
    ) -> CustomerRecord:
        known = _without_nulls(said)
        attributes = await self._rules.of_new(known.get("attributes", {}))
        numbers = await self._codes.take(self._uow.tenant_id, "customer")
        record = new_record(
            {
                **known,
                "attributes": _without_nulls(attributes),
                "profile": merged_profile({}, said["profile"]),
                **_primary_contacts(identities),
            },
            customer_id=new_id(),
            number=numbers.start,
            currency=shop.currency,
            at=self._uow.clock.now(),
        )
        choices: Mapping[UUID, Choice] = {}
        if record.owner_id is None:
            choices = await self._assigner.assign({record.id: record}, timezone=shop.timezone)
            if record.id in choices:
                record = replace(record, owner_id=choices[record.id].owner_id)
        if speaker is not None:
            record = first_said(record, speaker)
        new = [NewCustomer(record, identities)]
        self._uow.append(CustomerCreated(customer=record.state()), key=record.id)
        self._uow.record(AuditEntry.of("customer", record.id))
        entries = [created_entry(record)]
        holders = await NewCustomers(self._uow).add(new, entries, require_fields=True)
        of_several = [i for i in identities if i.verified and is_of_several(i, holders)]
        await self._identities.share(record.id, of_several)
        await self._assigner.keep(choices)
        await self._weighing.propose(look_alikes(record.id, identities, holders))
        return record

    async def _merge(
        self,
        customer_id: UUID,
        said: dict[str, Any],
        identities: Sequence[Identity],
        speaker: Speaker,
    ) -> CustomerRecord:
        before = unerased(self._changes[customer_id])
        if "attributes" in said:
            checked = await self._rules.of_change(
                said["attributes"], before.attributes, customer_id=before.id
            )
            said = {**said, "attributes": checked}
        self._changes.apply(customer_id, _changes(said))
        said = {**said, **_primary_contacts(identities)}
        own = await self._identities.list_of([customer_id]) if identities else []
        ended = _ended(identities, own)
        if ended and speaker.decides:
            raise IdentityHasEnded
        said = {name: value for name, value in said.items() if name not in ended}
        await self._hearing.hear(customer_id, said, speaker)
        after = self._changes[customer_id]
        await self._replace_contacts(customer_id, before, after)
        given = [(customer_id, identity) for identity in identities]
        lacked = await self._identities.give(given, own_rows=own)
        if await self._changes.save():
            await self._timeline.add([changed_entry(before, after)])
        if before.id in self._changes.compared_anew or any(i.kind in CONTACTS for _, i in lacked):
            await self._weighing.weigh_again([before.id])
        return self._changes[customer_id]

    async def _replace_contacts(
        self, named_id: UUID, before: CustomerRecord, after: CustomerRecord
    ) -> None:
        """What a customer only claimed, and now takes back, leads to them no more.

        A merged record by which they are named keeps what it had before: it is its own again when
        they part.
        """
        replaced = [
            (kind, old)
            for kind, old, new in (
                ("email", before.email, after.email),
                ("phone", before.phone, after.phone),
            )
            if old is not None and old != new
        ]
        named = []
        if replaced and named_id != before.id:
            named = await self._customers.records([named_id])
        for kind, old in replaced:
            others = [record.id for record in named if getattr(record, kind) != old]
            for record_id in sorted([before.id, *others]):
                await self._identities.remove_claimed(record_id, kind=kind, value=old)


def _contacts(given: CustomerFields, source: str, shop: Shop) -> list[Identity | None]:
    """The address and the number given. Raises PhoneNotValid."""
    region = given.country or shop.country
    email = email_identity(given.email, source=source, verified=given.email_verified)
    phone = phone_identity(given.phone, source=source, region=region, verified=given.phone_verified)
    if given.phone is not None and phone is None:
        raise PhoneNotValid(region)
    return [email, phone]


def _primary_contacts(identities: Sequence[Identity]) -> dict[str, str]:
    """The columns that hold the address and the number to reach a customer by."""
    return {i.kind: i.value for i in identities if i.kind in {"email", "phone"}}


def _ended(identities: Sequence[Identity], own: Sequence[Row[*tuple[Any, ...]]]) -> set[str]:
    """Which of email and phone are told, and are not this customer's any more."""
    ended = {(kind, value) for _, kind, value in ended_contacts(own)}
    return {kind for kind, value in _primary_contacts(identities).items() if (kind, value) in ended}


def _said(given: CustomerFields) -> dict[str, Any]:
    """What a client has said of columns: what it left out is not there."""
    plain = given.model_dump(exclude={*_NOT_COLUMNS, *NESTED}, exclude_unset=True)
    if given.email is not None and is_placeholder_email(given.email):
        # It says that there is none to tell, not that there is none.
        del plain["email"]
    columns, profile = split_profile({**nested_profile(given), **plain})
    return {**columns, "profile": profile}


def _without_nulls(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None}


def _changes(said: dict[str, Any]) -> dict[str, Any]:
    """What changes of a customer whoever says it; null clears."""
    # Who told of a customer first stays the source.
    heard = {*FIELD_COLUMNS, "source", "profile", "attributes"}
    changes = {name: value for name, value in said.items() if name not in heard}
    return {**changes, "tags": said["tags"] or []} if "tags" in said else changes
