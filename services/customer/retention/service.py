"""What a shop decides about how long it keeps personal data, and what it may know of it."""

from collections.abc import Mapping, Sequence
from datetime import time
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from services.customer.fields.record import CustomField
from services.customer.fields.repository import FieldRepository
from services.customer.privacy.laws import LawName, law_of
from services.customer.retention.catalogue import (
    ATTRIBUTE,
    CLOCKS,
    ENTRIES,
    FIELDS,
    KEPT,
    RECORD,
    RECORDED,
    can_age,
    is_known,
)
from services.customer.retention.errors import (
    NothingToFollow,
    RetentionPresetNotFound,
    RetentionRunInProgress,
    TooManyRetentionRules,
)
from services.customer.retention.periods import is_shorter
from services.customer.retention.presets import ACCOUNTS, PRESETS
from services.customer.retention.repository import Found, FoundPage, RetentionRepository
from services.customer.retention.schemas import (
    FILE_SCOPES,
    KIND,
    MOST_RULES,
    KeptDatum,
    RetentionCatalogue,
    RetentionClock,
    RetentionDatum,
    RetentionRuleCreate,
    RetentionRulePatch,
    RetentionRunCreate,
)
from services.customer.retention.terms import RunKind
from services.customer.tenants.shops import Shop
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.errors import FieldError, Forbidden, Invalid
from shared.ids import new_id
from shared.jobs.repository import JobRepository
from shared.jobs.schemas import JobRead
from shared.jobs.work import JobKinds
from shared.security.sight import Sight
from shared.web.resources import check_version

# Orders come in, mails go out: the hours in which that is seldom so.
_NIGHT: Final = (time(2), time(6))
_SUBSTANCE: Final = frozenset({"data", "clock", "period", "action", "applies_to"})
# Law 91/2025/QH15 with Decree 356/2025/ND-CP: where somebody was, and what follows from income.
_SENSITIVE: Final = frozenset({"touches", "income_band"})


class RetentionService:
    """The retention rules of one shop; they are for those who see all customers."""

    def __init__(
        self,
        uow: UnitOfWork,
        *,
        shop: Shop,
        jobs: JobRepository,
        kinds: JobKinds,
        sight: Sight | None = None,
        actor_id: str = "customer",
    ) -> None:
        self._uow = uow
        self._shop = shop
        self._law = law_of(shop.country)
        self._jobs = jobs
        self._kinds = kinds
        self._sight = sight
        self._actor_id = actor_id
        self._retention = RetentionRepository(uow)

    async def catalogue(self) -> RetentionCatalogue:
        """What rules can speak of in this shop. Raises Forbidden."""
        self._require_all()
        fields = await self._own_fields()
        clocks = {**CLOCKS, **{n: "The day in this field" for n, f in fields.items() if _is_day(f)}}
        of_people = [name for name in clocks if name != RECORDED]
        data = [_datum(RECORD, "record", of_people, minimum=ACCOUNTS[self._law])]
        data += [_datum(name, "field", of_people) for name in sorted(FIELDS)]
        data += [
            _datum(name, "field", of_people, sensitive=field.sensitivity == "sensitive")
            for name, field in fields.items()
        ]
        for name in ENTRIES:
            counted_from = [*of_people, RECORDED] if can_age(name) else of_people
            minimum = ACCOUNTS[self._law] if name == "orders" else None
            data.append(_datum(name, "entries", counted_from, minimum=minimum))
        return RetentionCatalogue(
            law=self._law,
            data=data,
            clocks=[RetentionClock(name=name, meaning=text) for name, text in clocks.items()],
            kept=[KeptDatum(name=name, why=why) for name, why in KEPT.items()],
        )

    async def create(self, given: RetentionRuleCreate) -> Found:
        """A new rule. Raises Forbidden, Invalid, TooManyRetentionRules."""
        self._require_all()
        return await self._add(given.model_dump())

    async def adopt(self, preset: str) -> list[Found]:
        """All rules of a collection, at rest. Raises RetentionPresetNotFound."""
        self._require_all()
        law: LawName | None = next((name for name in PRESETS if name == preset), None)
        if law is None:
            raise RetentionPresetNotFound
        return [
            await self._add(
                {
                    **{name: getattr(rule, name) for name in ("name", *sorted(_SUBSTANCE))},
                    "data": list(rule.data),
                    "active": False,
                    "preset": law,
                }
            )
            for rule in PRESETS[law]
        ]

    async def get(self, rule_id: UUID) -> Found:
        """Raises Forbidden, RetentionRuleNotFound."""
        self._require_all()
        return await self._retention.rule(rule_id)

    async def page(self, request: PageRequest) -> FoundPage:
        """A page of rules, newest first. Raises Forbidden."""
        self._require_all()
        return await self._retention.rule_page(request)

    async def change(
        self, rule_id: UUID, given: RetentionRulePatch, *, expected_version: int | None
    ) -> Found:
        """The rule after the change; one that says something else looks at everybody anew.

        Raises Forbidden, RetentionRuleNotFound, PreconditionFailed, Invalid.
        """
        self._require_all()
        before = await self._retention.rule(rule_id, lock=True)
        check_version(before.version, expected_version)
        said = given.model_dump(exclude_unset=True)
        changes = {name: new for name, new in said.items() if getattr(before, name) != new}
        if not changes:
            return before
        if changes.keys() & _SUBSTANCE:
            await self._check({**before._mapping, **changes})
            changes |= {"looked_until": None, "looked_at": None}
            await self._retention.forget_exceptions(rule_id)
        changes["updated_at"] = self._uow.clock.now()
        return await self._retention.save_rule(rule_id, changes)

    async def remove(self, rule_id: UUID, *, expected_version: int | None) -> None:
        """Forget a rule; what it has emptied stays empty, its runs stay known."""
        self._require_all()
        before = await self._retention.rule(rule_id, lock=True)
        check_version(before.version, expected_version)
        await self._retention.remove_rule(rule_id)

    async def start(self, wanted: RetentionRunCreate, *, is_dry: bool) -> JobRead:
        """A job that follows rules now, looking at everybody; dry, it changes nothing.

        Raises Forbidden, RetentionRuleNotFound, NothingToFollow, RetentionRunInProgress.
        """
        self._require_all()
        rules: Sequence[Found] = await self._retention.rules()
        if wanted.rule_ids is not None:
            chosen = {id_: await self._retention.rule(id_) for id_ in wanted.rule_ids}
            rules = [rule for rule in rules if rule.id in chosen]
        if not is_dry:
            rules = [rule for rule in rules if rule.active]
        if not rules:
            raise NothingToFollow
        run = await self._begin(rules, "dry_run" if is_dry else "manual")
        if run is None:
            raise RetentionRunInProgress(await self._retention.running())
        return self._kinds.described(await self._jobs.get(run.id))

    async def start_nightly(self) -> bool:
        """Begin the run of this night, if it is night and that was not done; whether it was."""
        now = self._uow.clock.now().astimezone(ZoneInfo(self._shop.timezone))
        if not _NIGHT[0] <= now.time() < _NIGHT[1]:
            return False
        rules = [rule for rule in await self._retention.rules() if rule.active]
        if not rules or await self._retention.running() is not None:
            return False
        if not await self._retention.take_night(now.date()):
            return False
        return await self._begin(rules, "nightly") is not None

    async def run(self, run_id: UUID) -> Found:
        """Raises Forbidden, RetentionRunNotFound."""
        self._require_all()
        return await self._retention.run(run_id)

    async def run_page(self, request: PageRequest) -> FoundPage:
        """A page of runs, newest first. Raises Forbidden."""
        self._require_all()
        return await self._retention.run_page(request)

    async def erasures(self, run_id: UUID, request: PageRequest) -> FoundPage:
        """A page of the people whom a run has ended. Raises Forbidden, RetentionRunNotFound."""
        await self.run(run_id)
        return await self._retention.erasures(run_id, request)

    async def _add(self, columns: Mapping[str, Any]) -> Found:
        if await self._retention.count_rules() >= MOST_RULES:
            raise TooManyRetentionRules(f"{MOST_RULES} at most")
        await self._check(columns)
        now = self._uow.clock.now()
        return await self._retention.add_rule(
            {
                "preset": None,
                **columns,
                "data": list(dict.fromkeys(columns["data"])),
                "id": new_id(),
                "looked_until": None,
                "looked_at": None,
                "created_by": self._actor_id,
                "created_at": now,
                "updated_at": now,
                "version": 1,
            }
        )

    async def _check(self, said: Mapping[str, Any]) -> None:
        """Raises Invalid for a rule that speaks of nothing, or against the law."""
        fields = await self._own_fields()
        faults = [
            FieldError(f"/body/data/{place}", *_unknown(name))
            for place, name in enumerate(said["data"])
            if not (is_known(name) or name in fields)
        ]
        clock, data = said["clock"], said["data"]
        is_day = clock in fields and _is_day(fields[clock])
        if clock not in CLOCKS and not is_day:
            detail = "Nothing is counted from that; the catalogue names what can be"
            faults.append(FieldError("/body/clock", "unknown_clock", detail))
        if clock == RECORDED and not all(can_age(name) for name in data):
            detail = "Not all of this has an age of its own"
            faults.append(FieldError("/body/clock", "no_own_age", detail))
        if (RECORD in data) != (said["action"] == "anonymise") and said["action"] != "report":
            detail = "A record is made anonymous, everything else is emptied"
            faults.append(FieldError("/body/action", "does_not_fit", detail))
        if RECORD in data and len(data) > 1:
            detail = "Nothing is left to empty when the record is gone"
            faults.append(FieldError("/body/data", "record_stands_alone", detail))
        least = ACCOUNTS[self._law]
        zone, now = ZoneInfo(self._shop.timezone), self._uow.clock.now()
        if "orders" in data and is_shorter(said["period"], least, now, zone):
            detail = f"The law wants what was sold in the accounts for {least}"
            faults.append(FieldError("/body/period", "below_legal_minimum", detail))
        if faults:
            raise Invalid(errors=faults)

    async def _begin(self, rules: Sequence[Found], kind: RunKind) -> Found | None:
        run_id = await self._jobs.add(KIND, detail={"kind": kind}, file_scopes=FILE_SCOPES)
        run = await self._retention.add_run(
            {
                "id": run_id,
                "kind": kind,
                "status": "running",
                "started_by": self._actor_id,
                "rules": [_told(rule) for rule in rules],
                "started_at": self._uow.clock.now(),
                "finished_at": None,
                "version": 1,
            }
        )
        if run is not None:
            self._kinds.wake_after_commit(self._uow)
        return run

    async def _own_fields(self) -> dict[str, CustomField]:
        fields = await FieldRepository(self._uow).all()
        return {f"{ATTRIBUTE}{field.key}": field for field in fields}

    def _require_all(self) -> None:
        if self._sight is not None:
            raise Forbidden("Retention rules are for those who see all customers")


def _told(rule: Found) -> dict[str, Any]:
    """A rule as a run keeps it, nothing having come of it yet."""
    return {
        "rule_id": str(rule.id),
        "version": rule.version,
        "name": rule.name,
        **{name: getattr(rule, name) for name in sorted(_SUBSTANCE)},
        "status": "waiting",
        "looked_at": 0,
        "people": None if rule.clock == RECORDED else 0,
        "amounts": {},
        "left_alone": {},
    }


def _unknown(name: str) -> tuple[str, str]:
    if name in KEPT:
        return "kept_by_law", KEPT[name]
    return "unknown_data", "Nothing goes by this name; the catalogue has the names"


def _is_day(field: CustomField) -> bool:
    return field.type == "date"


def _datum(
    name: str,
    kind: Any,
    clocks: Sequence[str],
    *,
    minimum: str | None = None,
    sensitive: bool = False,
) -> RetentionDatum:
    return RetentionDatum(
        name=name,
        kind=kind,
        sensitive=sensitive or name in _SENSITIVE,
        clocks=list(clocks),
        minimum=minimum,
    )
