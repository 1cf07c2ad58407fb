"""From the states of other services to the columns of the facts."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from services.segmentation.facts.newest import ScoredTicket
from services.segmentation.facts.search_keys import profile_search_keys, titles_search
from shared.contracts.customer import ConsentState, CustomerState, OrderState
from shared.contracts.messaging import MessageState
from shared.contracts.support_ticket import TicketStatus
from shared.money import Money
from shared.text import search_key

Row = dict[str, Any]

STATUS_CATEGORY: Final[Mapping[TicketStatus, str]] = {
    "new": "open",
    "open": "open",
    "pending_customer": "pending",
    "on_hold": "pending",
    "resolved": "resolved",
    "closed": "closed",
}
OPEN_CATEGORIES: Final = ("open", "pending")
CANCELLED: Final = "cancelled"
VOIDED: Final = "voided"
_INCOME: Final = ("income_currency", "income_at_least_minor", "income_below_minor")
PAID: Final = ("paid", "partially_refunded")


def profile_row(state: CustomerState) -> Row:
    """A customer's own columns of `profile`; the figures are not among them."""
    consent = {_consent_key(given): given.status for given in state.consents}
    return {
        "customer_id": state.customer_id,
        "version": state.version,
        "active": state.merged_into is None and not state.removed,
        "merged_into": state.merged_into,
        "code": state.code,
        "full_name": state.name,
        "search_name": None if state.name is None else search_key(state.name),
        "email": state.email,
        "phone": state.phone,
        "locale": state.locale,
        "gender": state.gender,
        "birth_date": state.birth_date,
        "city": state.city,
        "province": state.province,
        "country": state.country,
        "stage": state.stage,
        "source": state.source,
        "kind": state.kind,
        "relation": state.relation,
        "occupation": state.occupation,
        "position": state.position,
        "preferences": state.preferences or (),
        "preferred_channel": state.preferred_channel,
        "rating": state.rating,
        "tax_code": state.tax_code,
        **_income(state),
        "vn63_province": None if state.address is None else state.address.vn63_province_code,
        "vn34_province": None if state.address is None else state.address.vn34_province_code,
        "tags": state.tags,
        "attributes": state.attributes,
        "consent": consent,
        "consent_ends": {_consent_key(given): at.isoformat() for given, at in _ending(state)},
        "search_keys": profile_search_keys(state),
        "created_at": state.created_at,
    }


def _income(state: CustomerState) -> Row:
    band = state.income_band
    if band is None:
        return dict.fromkeys(_INCOME)
    at_least, below = (
        None if bound is None else Money.parse(bound, band.currency).amount_minor
        for bound in (band.at_least, band.below)
    )
    return dict(zip(_INCOME, (band.currency, at_least, below), strict=True))


def consent_end_rows(state: CustomerState) -> list[Row]:
    """Rows of `consent_end`: the moments at which something a customer agreed to expires."""
    moments = sorted({at for _, at in _ending(state)})
    return [{"customer_id": state.customer_id, "ends_at": at} for at in moments]


def _ending(state: CustomerState) -> Iterator[tuple[ConsentState, datetime]]:
    """What was agreed to for a time, and until when; a no has no end."""
    for given in state.consents:
        if given.status == "granted" and given.expires_at is not None:
            yield given, given.expires_at


def _consent_key(given: ConsentState) -> str:
    return f"{given.channel}.{given.purpose}"


def order_row(state: OrderState) -> Row:
    """A row of `order_fact`."""
    titles = [line.title for line in state.lines]
    return {
        "order_id": state.order_id,
        "version": state.version,
        "customer_id": state.customer_id,
        "placed_at": state.placed_at,
        "status": state.status,
        "financial_status": state.financial_status,
        "fulfillment_status": state.fulfillment_status,
        "total_minor": state.total_minor,
        "refunded_minor": state.refunded_minor,
        "currency": state.currency,
        "channel": state.channel,
        "lines_count": len(state.lines),
        "skus": [line.sku for line in state.lines if line.sku is not None],
        "product_titles": titles,
        "product_search": titles_search(titles),
    }


def ticket_row(ticket: ScoredTicket) -> Row:
    """A row of `ticket_fact`, of a ticket whose customer is known."""
    state = ticket.state
    return {
        "ticket_id": state.ticket_id,
        "version": state.version,
        "customer_id": state.customer_id,
        "type": state.type,
        "status_category": STATUS_CATEGORY[state.status],
        "priority": state.priority,
        "urgency": state.urgency,
        "channel": state.channel,
        "opened_at": state.opened_at,
        "resolved_at": state.resolved_at,
        "csat": state.csat,
        "csat_at": ticket.csat_at,
    }


def message_row(state: MessageState) -> Row:
    """A row of `message_fact`, of a message to a known customer."""
    return {
        "message_id": state.message_id,
        "version": state.version,
        "customer_id": state.customer_id,
        "channel": state.channel,
        "purpose": state.message_class,
        "status": state.status,
        "sent_at": state.finished_at if state.status == "sent" else None,
    }
