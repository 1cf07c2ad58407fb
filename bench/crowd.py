"""Many customers made inside the database: names, orders, values of the shop's own fields."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from shared.text import search_key

_FAMILY = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Võ", "Đặng", "Bùi")
_MIDDLE = ("Văn", "Thị", "Hữu", "Minh", "Ngọc", "Thanh", "Quốc", "Đức", "Thu", "Kim")
_GIVEN = ("Anh", "Bình", "Châu", "Dũng", "Đức", "Giang", "Hương", "Khánh", "Lan", "Mai", "Nam",
          "Oanh", "Phúc", "Quân", "Sơn", "Thảo", "Uyên", "Vinh", "Xuân", "Yến")  # fmt: skip
_PROVINCES = ("Hà Nội", "TP. Hồ Chí Minh", "Huế", "Đà Nẵng", "Cần Thơ", "Lâm Đồng")
_BATCH = 50_000

# One in a hundred is gold, everybody has a score and a card; one in four has bought.
_PEOPLE = """
    INSERT INTO customer.customer
        (tenant_id, id, code, stage, name, email, phone, province, country, source, tags,
         attributes, consents, value_tier, orders_count, total_spent_minor, currency,
         first_order_at, last_order_at, name_key, search_key, created_at, updated_at, version)
    SELECT $1, id, code, CASE WHEN buys THEN 'customer' ELSE 'lead' END, name, email, phone,
           ($9::text[])[1 + n % cardinality($9)], 'VN', 'bench',
           CASE WHEN n % 50 = 0 THEN '["VIP"]'::jsonb ELSE '[]' END,
           jsonb_build_object('score', score, 'card', card)
               || CASE WHEN level IS NULL THEN '{}' ELSE jsonb_build_object('level', level) END,
           '[]', CASE WHEN n % 40 = 0 THEN 'gold' ELSE 'standard' END,
           CASE WHEN buys THEN 1 + n % 9 ELSE 0 END,
           CASE WHEN buys THEN 100000 + (n::bigint * 7919) % 20000003 ELSE 0 END, 'VND',
           CASE WHEN buys THEN at END, CASE WHEN buys THEN at + (n % 300) * interval '1 day' END,
           key, ' ' || key || ' ' || lower(code) || ' ' || email || ' ' || phone || ' 0'
               || substr(phone, 4) || ' ', at, at, 1
    FROM (
        SELECT n, n % 4 = 0 AS buys, 'KH' || lpad(n::text, 7, '0') AS code,
               'khach' || n || '@example.com' AS email,
               '+849' || lpad(((n::bigint * 48271) % 99999989)::text, 8, '0') AS phone,
               ($3::text[])[1 + h % 11] || ' ' || ($4::text[])[1 + h / 11 % 10] || ' '
                   || ($5::text[])[1 + h / 110 % 20] AS name,
               ($6::text[])[1 + h % 11] || ' ' || ($7::text[])[1 + h / 11 % 10] || ' '
                   || ($8::text[])[1 + h / 110 % 20] AS key,
               (n::bigint * 7919) % 1000003 AS score, 'card-' || lpad(n::text, 7, '0') AS card,
               CASE WHEN n % 100 = 0 THEN 'gold' WHEN n % 3 = 0 THEN 'tin' END AS level,
               timestamptz '2024-01-01 00:00Z' + n * interval '40 seconds' AS at,
               (lpad(to_hex(1700000000000 + n), 12, '0') || '70008000'
                   || lpad(to_hex(n), 12, '0'))::uuid AS id
        FROM (SELECT n::integer AS n, abs(hashint4(n::integer)) AS h
              FROM generate_series($2::bigint, $10::bigint) AS n) numbers
    ) people
"""
_VALUES = """
    INSERT INTO customer.custom_value
        (tenant_id, customer_id, field_id, position, {column}, created_at)
    SELECT tenant_id, id, $2, 0, {value}, created_at FROM customer.customer
    WHERE tenant_id = $1 AND attributes ? $3
    ORDER BY id
"""
_TAGS = """
    INSERT INTO customer.customer_tag (tenant_id, tag, customer_id, created_at)
    SELECT tenant_id, 'VIP', id, created_at FROM customer.customer
    WHERE tenant_id = $1 AND tags <> '[]' AND source = 'bench'
"""
_ORDERS = """
    INSERT INTO customer.customer_order
        (tenant_id, id, customer_id, source, scope, external_id, number, status, financial_status,
         currency, total_minor, subtotal_minor, discount_minor, shipping_minor, tax_minor,
         refunded_minor, placed_at, changed_at, created_at, updated_at, version)
    SELECT tenant_id, gen_random_uuid(), id, 'pos', 'pos', code, '#' || substr(code, 3),
           'completed', 'paid', 'VND', 100000, 100000, 0, 0, 0, 0, last_order_at, last_order_at,
           last_order_at, last_order_at, 1
    FROM customer.customer WHERE tenant_id = $1 AND last_order_at IS NOT NULL
"""
_COUNTER = """
    INSERT INTO customer.code_counter (tenant_id, kind, next_value) VALUES ($1, 'customer', $2)
    ON CONFLICT (tenant_id, kind) DO UPDATE SET next_value = excluded.next_value
"""


async def load_crowd(dsn: str, tenant_id: UUID, count: int, fields: dict[str, UUID]) -> None:
    """Write them as the database's superuser. `fields` are the ids of score, level and card."""
    connection = await asyncpg.connect(dsn)
    try:
        words = [*_names(_FAMILY, _MIDDLE, _GIVEN), list(_PROVINCES)]
        for first in range(1, count + 1, _BATCH):
            last = min(first + _BATCH - 1, count)
            await connection.execute(_PEOPLE, tenant_id, first, *words, last, timeout=600)
        for key, column, value in (
            ("score", "number_value", "(attributes ->> $3)::bigint * 1000000"),
            ("level", "text_value", "attributes ->> $3"),
            ("card", "text_value", "attributes ->> $3"),
        ):
            statement = _VALUES.format(column=column, value=value)
            await connection.execute(statement, tenant_id, fields[key], key, timeout=1200)
        await connection.execute(_TAGS, tenant_id, timeout=600)
        await connection.execute(_ORDERS, tenant_id, timeout=1200)
        await connection.execute(_COUNTER, tenant_id, count + 1)
        for table in ("customer", "custom_value", "customer_tag", "customer_order"):
            await connection.execute(f"VACUUM ANALYZE customer.{table}", timeout=1200)
    finally:
        await connection.close()


def _names(*lists: Sequence[str]) -> list[list[str]]:
    """The words, and the same as they are searched."""
    return [list(words) for words in lists] + [[search_key(w) for w in words] for words in lists]
