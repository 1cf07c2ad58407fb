"""What lists are asked for in the measurements, as a query of the API and as bare SQL."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

_ALL = "SELECT c.* FROM customer.customer c"
_OF = "WHERE c.tenant_id = $1"
_NEWEST = "ORDER BY c.created_at DESC, c.id DESC LIMIT 50"
# As the house answers: the best of the newest 200 matches first.
_BEST = (
    f"SELECT * FROM ({_ALL} {_OF} AND c.search_key LIKE ALL ($2) "
    "ORDER BY c.created_at DESC, c.id DESC LIMIT 200) found "
    "ORDER BY CASE WHEN name_key LIKE $3 || '%' THEN 5 WHEN search_key LIKE '% ' || $3 || ' %' "
    "THEN 4 WHEN search_key LIKE '%' || $3 || ' %' THEN 3 WHEN search_key LIKE '% ' || $3 || '%' "
    "THEN 2 ELSE 1 END DESC, created_at DESC, id DESC LIMIT 50"
)
_JOIN = (
    "JOIN customer.custom_value v ON v.tenant_id = c.tenant_id AND v.customer_id = c.id "
    "AND v.field_id = $2"
)


@dataclass(frozen=True, slots=True)
class Question:
    """The same question to both sides."""

    name: str
    query: str
    sql: str
    arguments: tuple[Any, ...] = ()


FIELDS: dict[str, dict[str, Any]] = {
    "score": {"type": "number"},
    "level": {
        "type": "enum",
        "options": [{"value": each, "label": {"vi": each}} for each in ("gold", "tin")],
    },
    "card": {"type": "text"},
}


def questions(count: int, fields: dict[str, UUID]) -> list[Question]:
    """All of them, for so many customers; `fields` are the ids of `FIELDS`."""
    card = f"card-{count // 2:07d}"
    score, level = fields["score"], fields["level"]
    return [
        Question("list", "", f"{_ALL} {_OF} {_NEWEST}"),
        Question(
            "list, stage and tag",
            "&stage=customer&tag=VIP",
            f"{_ALL} JOIN customer.customer_tag t ON t.tenant_id = c.tenant_id "
            f"AND t.customer_id = c.id AND t.tag = 'VIP' {_OF} AND c.stage = 'customer' {_NEWEST}",
        ),
        Question(
            "own field, 1 in 100",
            "&attributes[level]=gold",
            f"{_ALL} {_JOIN} AND v.text_value = $3 {_OF} {_NEWEST}",
            (level, "gold"),
        ),
        Question(
            "own field, one",
            f"&attributes[card]={card}",
            f"{_ALL} {_JOIN} AND v.text_value = $3 {_OF} {_NEWEST}",
            (fields["card"], card),
        ),
        Question(
            "own field, range, few",
            "&attributes[score][gte]=999000",
            f"{_ALL} {_JOIN} AND v.number_value >= $3 {_OF} {_NEWEST}",
            (score, 999_000_000_000),
        ),
        Question(
            "own field, range, many",
            "&attributes[score][gte]=300000",
            f"{_ALL} {_JOIN} AND v.number_value >= $3 {_OF} {_NEWEST}",
            (score, 300_000_000_000),
        ),
        Question(
            "two own fields",
            "&attributes[level]=gold&attributes[score][gte]=500000",
            f"{_ALL} {_JOIN} AND v.text_value = $3 JOIN customer.custom_value w "
            "ON w.tenant_id = c.tenant_id AND w.customer_id = c.id AND w.field_id = $4 "
            f"AND w.number_value >= $5 {_OF} {_NEWEST}",
            (level, "gold", score, 500_000_000_000),
        ),
        Question(
            "sort by own field",
            "&sort=-attributes.score",
            f"{_ALL} {_JOIN} AND v.number_value IS NOT NULL {_OF} "
            "ORDER BY v.number_value DESC, v.created_at DESC, c.id DESC LIMIT 50",
            (score,),
        ),
        Question(
            "sort by money spent",
            "&sort=-total_spent",
            f"{_ALL} {_OF} AND c.total_spent_minor > 0 "
            "ORDER BY c.total_spent_minor DESC, c.id DESC LIMIT 50",
        ),
        Question(
            "sort by last order",
            "&sort=days_since_last_order",
            f"{_ALL} {_OF} AND c.last_order_at IS NOT NULL "
            "ORDER BY c.last_order_at DESC, c.id DESC LIMIT 50",
        ),
        Question(
            "sort by name",
            "&sort=name",
            f"{_ALL} {_OF} AND c.name_key IS NOT NULL ORDER BY c.name_key, c.id LIMIT 50",
        ),
        Question(
            "spent in a range",
            "&total_spent[gte]=20000000",
            f"{_ALL} {_OF} AND c.total_spent_minor >= 20000000 AND c.total_spent_minor > 0 "
            f"{_NEWEST}",
        ),
        _search("a full name", "bui thi huong"),
        _search("with accents", "Bùi Thị Hương", key="bui thi huong"),
        _search("two words", "huong bui"),
        _search("4 digits", "4321", patterns=["%4321 %"]),
        _search("an address", "khach4321@"),
        Question(
            "search an order",
            f"&q=%23{count // 8 * 4:07d}",
            f"{_ALL} JOIN customer.customer_order o ON o.tenant_id = c.tenant_id "
            f"AND o.customer_id = c.id AND o.number = $2 {_OF} {_NEWEST}",
            (f"#{count // 8 * 4:07d}",),
        ),
    ]


def _search(
    what: str, text: str, *, key: str | None = None, patterns: list[str] | None = None
) -> Question:
    key = key or text
    patterns = patterns or [f"%{word}%" for word in key.split()]
    return Question(f"search {what}", f"&q={quote(text)}", _BEST, (patterns, key))
