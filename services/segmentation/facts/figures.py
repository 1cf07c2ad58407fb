"""Figures of customers made of their facts: counted anew for whoever was touched, never added up.

So a batch that comes twice changes nothing, and a rebuild ends where increments would have.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Executable,
    Numeric,
    Table,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    func,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from services.segmentation.facts.models import message_fact, order_fact, profile, ticket_fact
from services.segmentation.facts.records import records_of
from services.segmentation.facts.rows import (
    CANCELLED,
    OPEN_CATEGORIES,
    PAID,
    VOIDED,
)
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork
from shared.money import BIGINT_MAX

_TENANT: Final = bindparam("tenant", type_=Uuid)
_CURRENCY: Final = bindparam("currency", type_=Text)
_WHO: Final = profile.alias("who")
_ASKED: Final = and_(
    _WHO.c.tenant_id == _TENANT,
    _WHO.c.customer_id == any_(bindparam("ids", type_=ARRAY(Uuid))),
)


def _refresh(
    facts: Table, figures: dict[str, ColumnElement[Any]], *counted: ColumnElement[bool]
) -> Executable:
    """Write the figures made of the counted facts of `_WHO`, where they differ."""
    of_person = facts.c.customer_id == any_(records_of(_WHO))
    mine = and_(facts.c.tenant_id == _TENANT, of_person, *counted)
    found = (
        select(_WHO.c.customer_id, *(figure.label(name) for name, figure in figures.items()))
        .select_from(_WHO.outerjoin(facts, mine))
        .where(_ASKED)
        .group_by(_WHO.c.customer_id)
        .subquery("found")
    )
    before = tuple_(*(profile.c[name] for name in figures))
    after = tuple_(*(found.c[name] for name in figures))
    return (
        update(profile)
        .values(
            {name: found.c[name] for name in figures}
            | {"updated_at": bindparam("now", type_=Instant)}
        )
        .where(
            profile.c.tenant_id == _TENANT,
            profile.c.customer_id == found.c.customer_id,
            before.is_distinct_from(after),
        )
    )


_order, _ticket, _message = order_fact.c, ticket_fact.c, message_fact.c


def _is_one_of(value: ColumnElement[str], words: Sequence[str]) -> ColumnElement[bool]:
    return value == any_(literal(list(words), ARRAY(Text)))


_is_paid: Final = _is_one_of(_order.financial_status, PAID)
_is_open: Final = _is_one_of(_ticket.status_category, OPEN_CATEGORIES)
_is_sent: Final = _message.status == "sent"


def _newest_score(value: Any) -> ColumnElement[Any]:
    """`value` of the ticket that was scored last."""
    newest_first = aggregate_order_by(value, _ticket.csat_at.desc(), _ticket.ticket_id.desc())
    scored = and_(_ticket.csat.is_not(None), _ticket.csat_at.is_not(None))
    scores: ColumnElement[Any] = func.array_agg(newest_first, type_=ARRAY(value.type)).filter(
        scored
    )
    return scores[1]


_is_home: Final = _order.currency == _CURRENCY
_has_home: Final = func.count(_order.order_id).filter(_is_home) > 0
_is_of_one: Final = func.min(_order.currency) == func.max(_order.currency)


def _spent() -> ColumnElement[Any]:
    """Paid minus refunded in the shop's currency, or in the one that somebody has bought in else.

    Two currencies are never added. What was given back beyond an order's total takes nothing from
    the others.
    """
    net = func.sum(func.greatest(_order.total_minor - _order.refunded_minor, 0, type_=BigInteger))
    home, foreign = net.filter(_is_paid, _is_home), net.filter(_is_paid)
    known = func.coalesce(case((_has_home, home), (_is_of_one, foreign)), 0)
    # Each total fits its column, their sum need not.
    return func.least(known, literal(BIGINT_MAX, Numeric))


def _currency() -> ColumnElement[Any]:
    """The currency of what was spent: none of nothing, `XXX` (ISO 4217: no currency) of several."""
    return case(
        (_has_home, _CURRENCY),
        (_is_of_one, func.min(_order.currency)),
        (func.count(_order.order_id) > 0, literal("XXX", Text)),
    )


ORDER_FIGURES: Final = _refresh(
    order_fact,
    {
        "orders_count": func.count(_order.order_id),
        "paid_orders_count": func.count(_order.order_id).filter(_is_paid),
        "first_order_at": func.min(_order.placed_at),
        "last_order_at": func.max(_order.placed_at),
        "total_spent_minor": _spent(),
        "currency": _currency(),
    },
    _order.status != CANCELLED,
    func.coalesce(_order.financial_status, "unknown") != VOIDED,
)
TICKET_FIGURES: Final = _refresh(
    ticket_fact,
    {
        "tickets_count": func.count(_ticket.ticket_id),
        "open_tickets_count": func.count(_ticket.ticket_id).filter(_is_open),
        "open_complaints_count": func.count(_ticket.ticket_id).filter(
            _is_open, _ticket.type == "complaint"
        ),
        "last_csat": _newest_score(_ticket.csat),
        "last_csat_at": _newest_score(_ticket.csat_at),
        "last_ticket_at": func.max(_ticket.opened_at),
    },
)
MESSAGE_FIGURES: Final = _refresh(
    message_fact,
    {
        "messages_sent_count": func.count(_message.message_id),
        "last_message_at": func.max(_message.sent_at),
    },
    _is_sent,
)


@dataclass(frozen=True, slots=True)
class Stale:
    """Whose figures must be counted anew."""

    orders: Collection[UUID]
    tickets: Collection[UUID]
    messages: Collection[UUID]


async def refresh_figures(uow: UnitOfWork, stale: Stale, *, currency: str) -> None:
    """Count anew; totals are in `currency`, the shop's. The profiles must be locked."""
    for statement, customers, more in (
        (ORDER_FIGURES, stale.orders, {"currency": currency}),
        (TICKET_FIGURES, stale.tickets, {}),
        (MESSAGE_FIGURES, stale.messages, {}),
    ):
        if customers:
            shared = {"tenant": uow.tenant_id, "ids": list(customers), "now": uow.clock.now()}
            await uow.execute(statement, shared | more)
