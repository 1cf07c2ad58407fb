"""The variables that a template of this service may use."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from babel.core import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency

from services.messaging.recipients.records import LastOrder, Recipient
from shared.money import Money


def message_variables(
    *,
    shop_name: str,
    recipient: Recipient | None,
    name: str | None,
    address: str,
    locale: str,
    given: Mapping[str, Any],
) -> dict[str, Any]:
    """`shop`, `customer`, `last_order`, and what the message itself brought, which goes first.

    What is unknown is absent, so that a template that needs it is not rendered without it.
    """
    return {
        "shop": {"name": shop_name},
        "customer": _customer(recipient, name=name, address=address),
        "last_order": _last_order(recipient.last_order if recipient else None, locale),
        **given,
    }


def _customer(recipient: Recipient | None, *, name: str | None, address: str) -> dict[str, Any]:
    if recipient is None:
        return {"name": name, "email": address}
    return {
        "name": name or recipient.name,
        "email": address,
        "phone": recipient.phone,
        "code": recipient.code,
        "stage": recipient.stage,
        "value_tier": recipient.value_tier,
        "orders_count": recipient.orders_count,
    }


def _last_order(order: LastOrder | None, locale: str) -> dict[str, Any] | None:
    if order is None:
        return None
    total = Decimal(Money(order.total_minor, order.currency).decimal_string())
    language = _babel_locale(locale)
    return {
        "number": order.number,
        "source": order.source,
        "status": order.status,
        "total": format_currency(total, order.currency, locale=language),
        "placed_on": format_date(order.placed_at, format="medium", locale=language),
    }


def _babel_locale(locale: str) -> Locale:
    try:
        return Locale.parse(locale, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("vi")
