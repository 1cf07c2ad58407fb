"""A new shop gets its opening hours, its promise and its queue."""

from collections.abc import Sequence

from sqlalchemy.dialects.postgresql import insert

from services.support_ticket.agents.repository import AgentRepository
from services.support_ticket.calendars.opening_hours import OpeningHours, Week
from services.support_ticket.calendars.repository import CalendarRepository
from services.support_ticket.queues.repository import QueueRepository
from services.support_ticket.sla.repository import SlaPolicyRepository
from services.support_ticket.sla.schemas import DEFAULT_TARGETS
from shared.contracts.gateway import TenantProvisioned, TenantState
from shared.db.tables import part_tables
from shared.db.unit_of_work import UnitOfWork
from shared.stream.envelope import Envelope

_OPENS, _CLOSES = "08:00", "21:00"
_NAMES = {
    "vi": ("Giờ mở cửa", "Tiêu chuẩn", "Hỗ trợ"),
    "en": ("Opening hours", "Standard", "Support"),
}

_tenant = part_tables("support_ticket").tenant
_given = insert(_tenant)
_PUT = _given.on_conflict_do_update(
    index_elements=["tenant_id"],
    set_={name: _given.excluded[name] for name in (*TenantState.model_fields, "updated_at")},
    where=_given.excluded.version > _tenant.c.version,
)


async def apply_tenants(uow: UnitOfWork, events: Sequence[Envelope]) -> None:
    """Keep each shop and give it what it needs to take tickets, unless it has it already."""
    for event in events:
        state = event.read(TenantProvisioned).tenant
        now = uow.clock.now()
        row = {"tenant_id": uow.tenant_id, "created_at": now, "updated_at": now}
        await uow.execute(_PUT, {**row, **state.model_dump()})
        await _provide_defaults(uow, state)


async def _provide_defaults(uow: UnitOfWork, shop: TenantState) -> None:
    hours_name, policy_name, queue_name = _NAMES[shop.locale]
    hours = OpeningHours(
        timezone=shop.timezone,
        weekly=Week.every_day(_OPENS, _CLOSES),
        holiday_country=shop.country,
    )
    calendar_id = await CalendarRepository(uow).ensure_default(name=hours_name, hours=hours)
    await SlaPolicyRepository(uow).ensure_default(
        name=policy_name, calendar_id=calendar_id, targets=DEFAULT_TARGETS
    )
    queues = QueueRepository(uow)
    await queues.ensure_default(name=queue_name)
    # Staff may have been told of before their shop was.
    if waiting := await AgentRepository(uow).list_taking():
        await queues.join_default(waiting)
