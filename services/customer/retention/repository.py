"""SQL of retention rules, their runs, and who was left alone."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, Row, Uuid, bindparam, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from services.customer.privacy.models import erasure
from services.customer.retention.errors import (
    RetentionRuleNotFound,
    RetentionRunNotFound,
)
from services.customer.retention.models import (
    retention_exception,
    retention_night,
    retention_rule,
    retention_run,
)
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.rows import RowsParameter
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork

Found = Row[*tuple[Any, ...]]
FoundPage = tuple[Sequence[Found], str | None]

_TENANT: Final = bindparam("tenant", type_=Uuid)
_ID: Final = bindparam("id", type_=Uuid)
_NEWEST_RULES: Final = (
    SortKey(retention_rule.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(retention_rule.c.id, "id", parse_id, descending=True),
)
_NEWEST_RUNS: Final = (
    SortKey(retention_run.c.started_at, "started_at", parse_instant, descending=True),
    SortKey(retention_run.c.id, "id", parse_id, descending=True),
)
_ERASURES_IN_ORDER: Final = (SortKey(erasure.c.id, "id", parse_id),)
_RULES: Final = select(retention_rule).where(retention_rule.c.tenant_id == _TENANT)
_IN_ORDER: Final = _RULES.order_by(retention_rule.c.created_at, retention_rule.c.id)
_RULE: Final = _RULES.where(retention_rule.c.id == _ID)
_LOCK_RULE: Final = _RULE.with_for_update()
_COUNT_RULES: Final = select(func.count()).where(retention_rule.c.tenant_id == _TENANT)
_ADD_RULE: Final = insert(retention_rule).returning(*retention_rule.c)
_REMOVE_RULE: Final = delete(retention_rule).where(
    retention_rule.c.tenant_id == _TENANT, retention_rule.c.id == _ID
)
_RUNS: Final = select(retention_run).where(retention_run.c.tenant_id == _TENANT)
_RUN: Final = _RUNS.where(retention_run.c.id == _ID)
# In these words, which are the index's.
_UNFINISHED: Final = text("finished_at IS NULL AND kind <> 'dry_run'")
_RUNNING: Final = select(retention_run.c.id).where(
    retention_run.c.tenant_id == _TENANT, _UNFINISHED
)
_ADD_RUN: Final = (
    insert(retention_run)
    .on_conflict_do_nothing(index_elements=["tenant_id"], index_where=_UNFINISHED)
    .returning(*retention_run.c)
)
_new_night = insert(retention_night)
_TAKE_NIGHT: Final = _new_night.on_conflict_do_update(
    index_elements=["tenant_id"],
    set_={"begun_on": _new_night.excluded.begun_on},
    where=retention_night.c.begun_on < _new_night.excluded.begun_on,
).returning(retention_night.c.begun_on)
_exceptions = RowsParameter(
    "exception", retention_exception, ("rule_id", "customer_id", "reason", "look_again_at")
)
_new_exceptions = insert(retention_exception).from_select(
    ["tenant_id", *_exceptions.columns], select(_TENANT, *_exceptions.source.c)
)
_KEEP_EXCEPTIONS: Final = _new_exceptions.on_conflict_do_update(
    index_elements=["tenant_id", "rule_id", "customer_id"],
    set_={name: _new_exceptions.excluded[name] for name in ("reason", "look_again_at")},
)
_OF_RULE: Final = (
    retention_exception.c.tenant_id == _TENANT,
    retention_exception.c.rule_id == bindparam("rule", type_=Uuid),
)
_FORGET_EXCEPTIONS: Final = delete(retention_exception).where(
    *_OF_RULE,
    retention_exception.c.customer_id == func.any(bindparam("ids", type_=ARRAY(Uuid))),
)
_FORGET_OLDER_EXCEPTIONS: Final = delete(retention_exception).where(
    *_OF_RULE, retention_exception.c.look_again_at <= bindparam("until", type_=Instant)
)
_FORGET_ALL_EXCEPTIONS: Final = delete(retention_exception).where(*_OF_RULE)


class RetentionRepository:
    """Retention rules and runs, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant: Mapping[str, Any] = {"tenant": uow.tenant_id}

    async def rules(self) -> Sequence[Found]:
        """All rules, in the order in which they are followed."""
        return await self._uow.rows(_IN_ORDER, self._tenant)

    async def count_rules(self) -> int:
        """How many rules there are."""
        return int(await self._uow.scalar(_COUNT_RULES, self._tenant))

    async def rule_page(self, request: PageRequest) -> FoundPage:
        """A page of rules, newest first, and the next cursor."""
        statement = page(_RULES, _NEWEST_RULES, request)
        rows = await self._uow.rows(statement, self._tenant)
        return next_cursor(rows, _NEWEST_RULES, request.limit)

    async def find_rule(self, rule_id: UUID) -> Found | None:
        """The rule, if there is one."""
        return await self._uow.one_or_none(_RULE, {**self._tenant, "id": rule_id})

    async def rule(self, rule_id: UUID, *, lock: bool = False) -> Found:
        """Raises RetentionRuleNotFound."""
        statement = _LOCK_RULE if lock else _RULE
        row = await self._uow.one_or_none(statement, {**self._tenant, "id": rule_id})
        if row is None:
            raise RetentionRuleNotFound
        return row

    async def add_rule(self, columns: Mapping[str, Any]) -> Found:
        """The new rule."""
        return await self._uow.one(_ADD_RULE, {"tenant_id": self._uow.tenant_id, **columns})

    async def save_rule(self, rule_id: UUID, changes: Mapping[str, Any]) -> Found:
        """The rule with these columns changed and its version grown."""
        statement = (
            update(retention_rule)
            .where(
                retention_rule.c.tenant_id == self._uow.tenant_id, retention_rule.c.id == rule_id
            )
            .values(**changes, version=retention_rule.c.version + 1)
            .returning(*retention_rule.c)
        )
        return await self._uow.one(statement)

    async def mark_looked(
        self, rule_id: UUID, version: int, *, until: datetime, at: datetime
    ) -> None:
        """Whom this version of a rule need not look at again. That is no new version of it."""
        await self._uow.execute(
            update(retention_rule)
            .where(
                retention_rule.c.tenant_id == self._uow.tenant_id,
                retention_rule.c.id == rule_id,
                # What was changed meanwhile looks at everybody anew.
                retention_rule.c.version == version,
            )
            .values(looked_until=until, looked_at=at)
        )

    async def remove_rule(self, rule_id: UUID) -> None:
        """Forget a rule and whom it has left alone."""
        await self.forget_exceptions(rule_id)
        await self._uow.execute(_REMOVE_RULE, {**self._tenant, "id": rule_id})

    async def add_run(self, columns: Mapping[str, Any]) -> Found | None:
        """The new run; None while another one empties things."""
        return await self._uow.one_or_none(_ADD_RUN, {"tenant_id": self._uow.tenant_id, **columns})

    async def run(self, run_id: UUID) -> Found:
        """Raises RetentionRunNotFound."""
        row = await self._uow.one_or_none(_RUN, {**self._tenant, "id": run_id})
        if row is None:
            raise RetentionRunNotFound
        return row

    async def running(self) -> UUID | None:
        """The run that empties things now, if any."""
        found: UUID | None = await self._uow.scalar(_RUNNING, self._tenant)
        return found

    async def run_page(self, request: PageRequest) -> FoundPage:
        """A page of runs, newest first, and the next cursor."""
        statement = page(_RUNS, _NEWEST_RUNS, request)
        rows = await self._uow.rows(statement, self._tenant)
        return next_cursor(rows, _NEWEST_RUNS, request.limit)

    async def save_run(self, run_id: UUID, changes: Mapping[str, Any]) -> Found:
        """The run with these columns changed and its version grown."""
        statement = (
            update(retention_run)
            .where(retention_run.c.tenant_id == self._uow.tenant_id, retention_run.c.id == run_id)
            .values(**changes, version=retention_run.c.version + 1)
            .returning(*retention_run.c)
        )
        return await self._uow.one(statement)

    async def take_night(self, day: date) -> bool:
        """Whether the run of this night is the caller's to begin: it is so once."""
        columns = {"tenant_id": self._uow.tenant_id, "begun_on": day}
        return await self._uow.scalar(_TAKE_NIGHT, columns) is not None

    async def keep_exceptions(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Know whom rules have left alone, and until when."""
        if rows:
            await self._uow.execute(_KEEP_EXCEPTIONS, {**self._tenant, **_exceptions.values(rows)})

    async def forget_exceptions(
        self, rule_id: UUID, customer_ids: Collection[UUID] | None = None
    ) -> None:
        """Whom a rule has left alone no more: all, unless some are named."""
        asked = {**self._tenant, "rule": rule_id}
        if customer_ids is None:
            await self._uow.execute(_FORGET_ALL_EXCEPTIONS, asked)
        elif customer_ids:
            await self._uow.execute(_FORGET_EXCEPTIONS, {**asked, "ids": list(customer_ids)})

    async def forget_exceptions_until(self, rule_id: UUID, until: datetime) -> None:
        """Whom a rule should have looked at again by then, and has not left alone once more."""
        asked = {**self._tenant, "rule": rule_id, "until": until}
        await self._uow.execute(_FORGET_OLDER_EXCEPTIONS, asked)

    async def erasures(self, run_id: UUID, request: PageRequest) -> FoundPage:
        """A page of the people whom a run has ended, and the next cursor."""
        of_run = select(erasure).where(erasure.c.tenant_id == _TENANT, erasure.c.run_id == run_id)
        statement = page(of_run, _ERASURES_IN_ORDER, request)
        rows = await self._uow.rows(statement, self._tenant)
        return next_cursor(rows, _ERASURES_IN_ORDER, request.limit)
