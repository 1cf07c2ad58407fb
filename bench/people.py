"""Many customers, made by the service's own code and loaded in bulk."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from services.customer.customers.record import COLUMNS, CustomerRecord, new_record
from shared.ids import new_id

_FAMILY = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Võ", "Đặng", "Bùi")
_MIDDLE = ("Văn", "Thị", "Hữu", "Minh", "Ngọc", "Thanh", "Quốc", "Đức", "Thu", "Kim")
_GIVEN = ("Anh", "Bình", "Châu", "Dũng", "Đức", "Giang", "Hương", "Khánh", "Lan", "Mai", "Nam",
          "Oanh", "Phúc", "Quân", "Sơn", "Thảo", "Uyên", "Vinh", "Xuân", "Yến")  # fmt: skip
_JSON = ("tags", "attributes", "profile", "consents")
_CHUNK = 5000


def make_people(count: int, *, seed: int = 7) -> Iterator[CustomerRecord]:
    """Customers with Vietnamese names, numbers and addresses; the same for the same seed."""
    chance = random.Random(seed)
    start = datetime.now(UTC) - timedelta(days=400)
    for number in range(1, count + 1):
        name = f"{chance.choice(_FAMILY)} {chance.choice(_MIDDLE)} {chance.choice(_GIVEN)}"
        known = {
            "name": name,
            "phone": f"+849{number:08d}",
            "email": f"khach{number}@example.com",
            "source": "bench",
        }
        yield new_record(
            known,
            customer_id=new_id(),
            number=number,
            currency="VND",
            at=start + timedelta(seconds=number * 300 * 1000 / count),
        )


async def load_people(dsn: str, tenant_id: UUID, count: int) -> list[CustomerRecord]:
    """Write them as the database's owner; the records."""
    connection = await asyncpg.connect(dsn)
    try:
        people = list(make_people(count))
        for at in range(0, count, _CHUNK):
            await connection.copy_records_to_table(
                "customer",
                schema_name="customer",
                columns=("tenant_id", *COLUMNS),
                records=[_row(tenant_id, person) for person in people[at : at + _CHUNK]],
            )
        await connection.execute(
            "INSERT INTO customer.code_counter VALUES ($1, 'customer', $2) "
            "ON CONFLICT (tenant_id, kind) DO UPDATE SET next_value = excluded.next_value",
            tenant_id,
            count + 1,
        )
        await connection.execute("ANALYZE customer.customer")
    finally:
        await connection.close()
    return people


async def load_bare_rows(dsn: str, people: list[CustomerRecord]) -> None:
    """The same people as rows of the bare program."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.copy_records_to_table(
            "bare_row",
            columns=("id", "name", "email", "phone", "search_key", "created_at"),
            records=[(p.id, p.name, p.email, p.phone, p.search_key, p.created_at) for p in people],
        )
        await connection.execute("ANALYZE bare_row")
    finally:
        await connection.close()


def _row(tenant_id: UUID, person: CustomerRecord) -> tuple[Any, ...]:
    columns = person.as_row()
    for name in _JSON:
        columns[name] = orjson.dumps(columns[name]).decode()
    return (tenant_id, *columns.values())
