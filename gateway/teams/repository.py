"""SQL of teams and their members. Every statement is built once, when this is imported."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from gateway.teams.errors import TeamNameTaken, TeamNotFound
from gateway.teams.models import team, team_member
from gateway.teams.record import COLUMNS, Membership, TeamRecord
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.unit_of_work import UnitOfWork

NEWEST = (
    SortKey(team.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(team.c.id, "id", parse_id, descending=True),
)
LAST_JOINED = (
    SortKey(team_member.c.joined_at, "joined_at", parse_instant, descending=True),
    SortKey(team_member.c.staff_id, "staff_id", parse_id, descending=True),
)
_TENANT = team.c.tenant_id == bindparam("tenant")
_OF_TEAM = (
    team_member.c.tenant_id == bindparam("tenant"),
    team_member.c.team_id == bindparam("of_team"),
)
_ADD = insert(team).on_conflict_do_nothing(index_elements=["tenant_id", "name_key"])
_LIST = select(*[team.c[name] for name in COLUMNS]).where(_TENANT)
_BY_ID = _LIST.where(team.c.id == bindparam("id"))
_LOCK = _BY_ID.with_for_update()
_CHANGED = ("name", "name_key", "description", "updated_at", "version")
_SAVE = (
    update(team)
    .where(_TENANT, team.c.id == bindparam("team_id"))
    .values({name: bindparam(name) for name in _CHANGED})
)
_DELETE = delete(team).where(_TENANT, team.c.id == bindparam("team_id"))
_MEMBERSHIP = [team_member.c.team_id, team_member.c.staff_id, team_member.c.joined_at]
_MEMBERS = select(*_MEMBERSHIP).where(*_OF_TEAM)
_MEMBER_IDS = select(team_member.c.staff_id).where(*_OF_TEAM).order_by(team_member.c.staff_id)
_MEMBER = _MEMBERS.where(team_member.c.staff_id == bindparam("member"))
_TEAMS_OF = select(func.count()).where(
    team_member.c.tenant_id == bindparam("tenant"), team_member.c.staff_id == bindparam("member")
)
_JOIN = insert(team_member).on_conflict_do_nothing(
    index_elements=["tenant_id", "team_id", "staff_id"]
)
_LEAVE = delete(team_member).where(*_OF_TEAM, team_member.c.staff_id == bindparam("member"))


class TeamRepository:
    """Teams of one shop, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def add(self, record: TeamRecord) -> None:
        """Raises TeamNameTaken."""
        row = {"tenant_id": self._uow.tenant_id, **record.as_row()}
        if await self._uow.execute(_ADD, row) == 0:
            raise TeamNameTaken

    async def get(self, team_id: UUID) -> TeamRecord:
        """Raises TeamNotFound."""
        row = await self._uow.one_or_none(_BY_ID, {**self._tenant, "id": team_id})
        if row is None:
            raise TeamNotFound
        return TeamRecord.of(row)

    async def lock(self, team_id: UUID) -> TeamRecord:
        """The team, kept from changing until the end. Raises TeamNotFound."""
        row = await self._uow.one_or_none(_LOCK, {**self._tenant, "id": team_id})
        if row is None:
            raise TeamNotFound
        return TeamRecord.of(row)

    async def save(self, record: TeamRecord) -> None:
        """Write what may change of a locked record. Raises TeamNameTaken."""
        values = {name: value for name, value in record.as_row().items() if name in _CHANGED}
        try:
            await self._uow.execute(_SAVE, {**self._tenant, **values, "team_id": record.id})
        except IntegrityError as error:
            raise TeamNameTaken from error

    async def delete(self, team_id: UUID) -> None:
        """Forget a team and who was in it."""
        await self._uow.execute(_DELETE, {**self._tenant, "team_id": team_id})

    async def list_newest(self, request: PageRequest) -> tuple[Sequence[TeamRecord], str | None]:
        """A page of teams, the newest first, and the next page's cursor."""
        rows = await self._uow.rows(page(_LIST, NEWEST, request), self._tenant)
        kept, cursor = next_cursor(rows, NEWEST, request.limit)
        return [TeamRecord.of(row) for row in kept], cursor

    async def list_members(
        self, team_id: UUID, request: PageRequest
    ) -> tuple[Sequence[Membership], str | None]:
        """A page of members, who joined last first, and the next page's cursor."""
        statement = page(_MEMBERS, LAST_JOINED, request)
        rows = await self._uow.rows(statement, {**self._tenant, "of_team": team_id})
        kept, cursor = next_cursor(rows, LAST_JOINED, request.limit)
        return [Membership(*row) for row in kept], cursor

    async def member_ids(self, team_id: UUID) -> Sequence[UUID]:
        """Everybody in a team."""
        return await self._uow.scalars(_MEMBER_IDS, {**self._tenant, "of_team": team_id})

    async def find_member(self, team_id: UUID, staff_id: UUID) -> Membership | None:
        """Since when somebody is in a team."""
        values = {"of_team": team_id, "member": staff_id}
        row = await self._uow.one_or_none(_MEMBER, {**self._tenant, **values})
        return Membership(*row) if row else None

    async def count_of(self, staff_id: UUID) -> int:
        """How many teams somebody is in."""
        counted: int = await self._uow.scalar(_TEAMS_OF, {**self._tenant, "member": staff_id})
        return counted

    async def join(self, membership: Membership) -> None:
        """Put somebody into a team."""
        row = {
            "tenant_id": self._uow.tenant_id,
            "team_id": membership.team_id,
            "staff_id": membership.staff_id,
            "joined_at": membership.joined_at,
        }
        await self._uow.execute(_JOIN, row)

    async def leave(self, team_id: UUID, staff_id: UUID) -> None:
        """Take somebody out of a team."""
        values = {"of_team": team_id, "member": staff_id}
        await self._uow.execute(_LEAVE, {**self._tenant, **values})
