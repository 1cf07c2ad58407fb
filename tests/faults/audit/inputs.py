"""What was promised to the outside is in effect, exactly once."""

from collections import Counter
from collections.abc import Iterable, Iterator

from sqlalchemy.ext.asyncio import AsyncConnection

from tests.faults.audit.books import Books, Check, Examined, Rows, rows
from tests.faults.truth import Asked, Kind


def input_checks() -> Iterator[Check]:
    """One check per kind of request."""
    yield Check("answers", "every request that was insisted on was answered", _answered)
    yield Check("no surprises", "faults answer 429, 502, 503 or 504 and nothing else", _expected)
    yield Check("customers", "each request is one customer", _customers)
    yield Check("descriptions", "the last word on each customer stands", _descriptions)
    yield Check("orders at the till", "each request is one order", _till_orders)
    yield Check(
        "platform orders", "each order is there once, as it was told last", _platform_orders
    )
    yield Check("buyers", "each address is one customer, whatever it bought where", _buyers)
    yield Check("deliveries", "each is kept once and has been read", _deliveries)
    yield Check("tickets", "each request is one ticket", _tickets)
    yield Check("replies", "each answer is said once", _replies)
    yield Check("what people wrote", "each message is kept once, on one ticket", _inbound)
    yield Check("resolutions", "each ticket is resolved once", _resolutions)
    yield Check("keys", "each key is kept once, with its answer", _keys)


async def _answered(_connection: AsyncConnection, books: Books) -> Examined:
    waiting = books.truth.unanswered()
    return Examined(
        len(books.truth.asked), [f"{a.kind} {a.mark} after {a.tries} tries" for a in waiting]
    )


async def _expected(_connection: AsyncConnection, books: Books) -> Examined:
    return Examined(sum(books.truth.statuses.values()), list(books.truth.surprises))


def _once(books: Books, kind: Kind, found: Iterable[str]) -> Examined:
    """Marks of what was accepted occur once, of what nobody knows at most once, no others."""
    seen = Counter(found)
    accepted = {ask.mark for ask in books.truth.accepted(kind)}
    unsure = {ask.mark for ask in books.truth.unsure(kind)}
    wrong = [f"{mark} is there {seen[mark]} times" for mark in accepted if seen[mark] != 1]
    wrong += [f"{mark} (unsure) is there {seen[mark]} times" for mark in unsure if seen[mark] > 1]
    wrong += [f"{mark} was never asked for" for mark in seen.keys() - accepted - unsure]
    return Examined(len(accepted), wrong)


def _same_id(asks: Iterable[Asked], ids: dict[str, str]) -> list[str]:
    """The object that was promised is the one that is there."""
    return [
        f"{ask.mark} was promised as {ask.accepted['id']} and is {ids[ask.mark]}"
        for ask in asks
        if ask.accepted is not None and ids.get(ask.mark, ask.accepted["id"]) != ask.accepted["id"]
    ]


async def _customers(connection: AsyncConnection, books: Books) -> Examined:
    found = await rows(
        connection,
        """SELECT id::text, split_part(email, '@', 1) AS mark FROM customer.customer
           WHERE email LIKE 'm%@example.com'""",
    )
    seen = _once(books, "customer", [row.mark for row in found])
    ids = {row.mark: row.id for row in found}
    return Examined(seen.count, seen.faults + _same_id(books.truth.accepted("customer"), ids))


async def _descriptions(connection: AsyncConnection, books: Books) -> Examined:
    found = await rows(
        connection,
        "SELECT id::text, (attributes->>'last')::bigint AS last FROM customer.customer",
    )
    last = {row.id: row.last for row in found}
    wrong = [
        f"{customer} says {last.get(customer)} and not {number}"
        for customer, number in books.truth.attributes.items()
        if last.get(customer) != number
    ]
    return Examined(len(books.truth.attributes), wrong)


async def _till_orders(connection: AsyncConnection, books: Books) -> Examined:
    found = await rows(
        connection,
        "SELECT id::text, external_id AS mark FROM customer.customer_order WHERE source = 'pos'",
    )
    seen = _once(books, "order", [row.mark for row in found])
    ids = {row.mark: row.id for row in found}
    return Examined(seen.count, seen.faults + _same_id(books.truth.accepted("order"), ids))


async def _platform_orders(connection: AsyncConnection, books: Books) -> Examined:
    found = await rows(
        connection,
        """SELECT connection_id::text, external_id, total_minor FROM customer.customer_order
           WHERE connection_id IS NOT NULL""",
    )
    told = {key: order.total for key, order in books.truth.orders.items()}
    seen = Counter((row.connection_id, row.external_id) for row in found)
    totals = {(row.connection_id, row.external_id): row.total_minor for row in found}
    wrong = [f"{key} is there {seen[key]} times" for key in told if seen[key] != 1]
    wrong += [
        f"{key} came to {total} and is kept as {totals[key]}"
        for key, total in told.items()
        if key in totals and totals[key] != total
    ]
    wrong += [f"{key} was never told of" for key in seen.keys() - told.keys()]
    return Examined(len(told), wrong)


async def _buyers(connection: AsyncConnection, books: Books) -> Examined:
    found: Rows = await rows(
        connection,
        """SELECT c.email, count(DISTINCT c.id) AS customers, count(o.id) AS orders
           FROM customer.customer c
           LEFT JOIN customer.customer_order o
             ON o.tenant_id = c.tenant_id AND o.customer_id = c.id
           WHERE c.email LIKE 'b%@example.org' GROUP BY c.email""",
    )
    orders = Counter(order.email for order in books.truth.orders.values())
    seen = {row.email: (row.customers, row.orders) for row in found}
    wrong = [
        f"{email} is (customers, orders) {seen.get(email)} and not {(1, bought)}"
        for email, bought in orders.items()
        if seen.get(email) != (1, bought)
    ]
    wrong += [f"{email} never bought" for email in seen.keys() - orders.keys()]
    return Examined(len(orders), wrong)


async def _deliveries(connection: AsyncConnection, books: Books) -> Examined:
    found = await rows(
        connection,
        "SELECT connection_id::text, object_id, status, reason, error FROM gateway.delivery",
    )
    wrong = [
        f"{row.object_id} is {row.status}: {row.reason} {row.error}"
        for row in found
        if row.status != "processed"
    ]
    told = len(books.truth.accepted("delivery"))
    if len(found) != told:
        wrong.append(f"{len(found)} are kept of {told}")
    return Examined(told, wrong)


async def _tickets(connection: AsyncConnection, books: Books) -> Examined:
    found = await rows(
        connection,
        """SELECT id::text, replace(subject, 'Hỏi ', '') AS mark FROM support_ticket.ticket
           WHERE subject LIKE 'Hỏi %'""",
    )
    seen = _once(books, "ticket", [row.mark for row in found])
    ids = {row.mark: row.id for row in found}
    return Examined(seen.count, seen.faults + _same_id(books.truth.accepted("ticket"), ids))


async def _replies(connection: AsyncConnection, books: Books) -> Examined:
    found = await rows(
        connection,
        """SELECT replace(body, 'Trả lời ', '') AS mark FROM support_ticket.message
           WHERE kind = 'reply'""",
    )
    return _once(books, "reply", [row.mark for row in found])


async def _inbound(connection: AsyncConnection, books: Books) -> Examined:
    received = await rows(connection, "SELECT external_id AS mark FROM messaging.inbound_message")
    said = await rows(
        connection,
        "SELECT external_id AS mark FROM support_ticket.message WHERE external_id IS NOT NULL",
    )
    both = [_once(books, "inbound", [row.mark for row in found]) for found in (received, said)]
    return Examined(both[0].count, both[0].faults + both[1].faults)


async def _resolutions(connection: AsyncConnection, books: Books) -> Examined:
    found = await rows(connection, "SELECT ticket_id::text AS mark FROM support_ticket.resolution")
    return _once(books, "resolution", [row.mark for row in found])


async def _keys(connection: AsyncConnection, books: Books) -> Examined:
    kept: Counter[str] = Counter()
    for schema in ("customer", "support_ticket", "messaging"):
        kept.update(
            row.key for row in await rows(connection, f"SELECT key FROM {schema}.idempotency_key")
        )
    asked = [a.key for a in books.truth.asked if a.key is not None and a.accepted is not None]
    return Examined(
        len(asked), [f"{key} is kept {kept[key]} times" for key in asked if kept[key] != 1]
    )
