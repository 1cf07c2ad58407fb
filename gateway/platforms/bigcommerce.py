"""BigCommerce: its webhooks only name an object, which the store is asked for. Pure functions.

What is read is what was fetched for a webhook: the object and its parts, each under its name.
"""

from collections.abc import Mapping
from typing import Final

from gateway.platforms.bigcommerce_words import customer_of, moment, order_of
from gateway.platforms.reading import (
    Payload,
    as_id,
    as_object,
    as_objects,
    as_text,
    first_text,
    required_id,
)
from gateway.platforms.told import (
    Delivered,
    Ignored,
    Reader,
    Told,
    told_customer,
    told_order,
)
from gateway.platforms.wanted import Part, StoreDoor, ThinPlatform, Wanted
from shared.contracts.gateway import (
    PlatformCustomerReceived,
    PlatformIdentity,
)

# Somebody is still at the checkout, or has left it.
_NOT_YET_PLACED: Final = frozenset({"incomplete"})


def _door(store: str, token: str) -> StoreDoor:
    return StoreDoor(f"/stores/{store}", {"X-Auth-Token": token, "Accept": "application/json"})


def _wanted(topic: str, payload: Payload) -> Wanted | None:
    """What a delivery names: an order, a customer, or something that belongs to one."""
    said = as_object(payload.get("data"))
    if topic in _OF_ORDERS:
        order_id = first_text(said.get("orderId"), said.get("order_id"), as_id(said.get("id")))
        return _wanted_order(order_id) if _is_number(order_id) else None
    if topic in _OF_CUSTOMERS:
        of_address = as_object(said.get("address"))
        customer_id = as_id(of_address.get("customer_id")) or as_id(said.get("id"))
        return _wanted_customer(customer_id) if _is_number(customer_id) else None
    return None


def _wanted_order(order_id: str | None) -> Wanted:
    path = f"/v2/orders/{order_id}"
    return Wanted(
        name=f"order {order_id}",
        parts={
            "order": Part(path, essential=True),
            "products": Part(f"{path}/products", paged=True),
            "shipping_addresses": Part(f"{path}/shippingaddresses", paged=True),
            "coupons": Part(f"{path}/coupons"),
            "shipments": Part(f"{path}/shipments", paged=True),
            "refunds": Part(f"/v3/orders/{order_id}/payment_actions/refunds"),
        },
    )


def _wanted_customer(customer_id: str | None) -> Wanted:
    return Wanted(
        name=f"customer {customer_id}",
        parts={
            "customers": Part(f"/v3/customers?id:in={customer_id}", essential=True),
            "addresses": Part(f"/v3/customers/addresses?customer_id:in={customer_id}", paged=True),
        },
    )


def _is_number(value: str | None) -> bool:
    """Whether an id may stand in a path: it came from outside."""
    return value is not None and value.isascii() and value.isdigit()


def _customer(delivered: Delivered) -> Told | Ignored:
    found = as_objects(delivered.payload.get("customers"))
    if not found:
        return Ignored("gone_at_platform")
    addresses = as_objects(delivered.payload.get("addresses"))
    customer = {**found[0], "addresses": addresses or found[0].get("addresses")}
    required_id(customer)
    changed_at = moment(customer.get("date_modified")) or moment(customer.get("date_created"))
    identity = customer_of(customer)
    return told_customer(delivered, identity, changed_at=changed_at or delivered.told_at)


def _customer_address(delivered: Delivered) -> Told | Ignored:
    """A customer's own time of change says nothing of their addresses."""
    told = _customer(delivered)
    if isinstance(told, Ignored) or not isinstance(told.event, PlatformCustomerReceived):
        return told
    changed_at = max(told.event.changed_at or delivered.told_at, delivered.told_at)
    event = told.event.model_copy(update={"changed_at": changed_at})
    return Told(told.kind, told.object_id, event)


def _customer_deleted(delivered: Delivered) -> Told:
    identity = PlatformIdentity(external_id=required_id(as_object(delivered.payload.get("data"))))
    return told_customer(delivered, identity, changed_at=delivered.told_at, deleted=True)


def _order(delivered: Delivered) -> Told | Ignored:
    payload = delivered.payload
    order = as_object(payload.get("order"))
    if not order:
        return Ignored("gone_at_platform")
    if (as_text(order.get("status")) or "").lower() in _NOT_YET_PLACED:
        return Ignored("order_is_a_draft")
    told = order_of(
        order,
        products=as_objects(payload.get("products")),
        shipping_addresses=as_objects(payload.get("shipping_addresses")),
        coupons=as_objects(payload.get("coupons")),
        shipments=as_objects(payload.get("shipments")),
        refunds=as_objects(payload.get("refunds")),
    )
    return told_order(delivered, told)


def _order_archived(_delivered: Delivered) -> Ignored:
    """Put away from the lists of the store; what was sold stays sold."""
    return Ignored("order_archived")


_OF_CUSTOMERS: Final[Mapping[str, Reader]] = {
    "store/customer/created": _customer,
    "store/customer/updated": _customer,
    "store/customer/address/created": _customer_address,
    "store/customer/address/updated": _customer_address,
    "store/customer/address/deleted": _customer_address,
}
_OF_ORDERS: Final[Mapping[str, Reader]] = {
    "store/order/created": _order,
    "store/order/updated": _order,
    "store/order/statusupdated": _order,
    "store/order/refund/created": _order,
    "store/order/transaction/created": _order,
    "store/order/transaction/updated": _order,
    "store/shipment/created": _order,
    "store/shipment/updated": _order,
    "store/shipment/deleted": _order,
}
READERS: Final[Mapping[str, Reader]] = {
    **_OF_CUSTOMERS,
    **_OF_ORDERS,
    "store/customer/deleted": _customer_deleted,
    "store/order/archived": _order_archived,
}
THIN: Final = ThinPlatform(wanted=_wanted, door=_door)
