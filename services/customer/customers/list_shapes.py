"""The kinds of lists of customers, and by which way the rows of each are come by. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from services.customer.customers.conditions import ORDINARY
from services.customer.customers.ordering import Part, Sort
from services.customer.fields.filtering import FieldShape

FEW: Final = 5000
"""So many customers are cheaper to fetch and sort than to be met on a walk through the list."""

GLANCED_AT: Final = 300
GLANCED_AT_ONE_BY_ONE: Final = 150
"""Where every third customer is met, a page of 50 is found in a glance."""

# The customers of one value stand in the order of the list; the rarest first.
_IN_ORDER: Final = (
    *("city", "owner_id", "province", "value_tier", "kind", "relation", "source", "stage"),
)
OF_THE_ORDER: Final = ("created_from", "created_until")
# Ranges that an index finds, and what must be said besides for it to be used.
RANGES: Final[Mapping[str, str | None]] = {
    "total_spent": "total_spent:some",
    "orders_count": "orders_count:some",
    "last_order_at": None,
    "last_interaction_at": None,
    "updated_at": None,
    "birth_date": None,
}
_BOUNDS: Final = ("gte", "lte", "lt")
# What the planner finds its way to by itself, however rare it is.
_FOUND: Final = frozenset({"birthdays", "tag:many"})
OWNED: Final = "has_owner:true"


@dataclass(frozen=True, slots=True)
class Shape:
    """A list without its values: what has the same shape is the same statement."""

    names: tuple[str, ...]
    fields: tuple[FieldShape, ...]
    sort: Sort
    number: int = 0
    """Which part of the order it is of."""
    continued: bool = False
    of_teams: bool | None = None
    few: tuple[str, ...] = ()
    """Conditions that few meet, all of whom an index finds."""
    at_most: int | None = None
    """The rows of a page, where they are written into the statement."""

    @property
    def part(self) -> Part:
        """The part of the order that it is of."""
        return self.sort.parts[self.number]

    @property
    def is_plain(self) -> bool:
        """Whether it is everybody."""
        return not (self.names or self.fields) and self.of_teams is None

    @property
    def is_to_be_walked(self) -> bool:
        """Whether the next match may be far away in the order, and no index leads there."""
        if self.of_teams is not None or _FOUND & set(self.names):
            return False
        if "tag" in self.names and not self.is_driven:
            return False
        if any(field.way == "few" for field in self.fields):
            return False
        probed = any(field.way != "drive" for field in self.fields)
        return self.part.is_rest or probed or bool(set(self.names) - set(self.kept))

    @property
    def glance(self) -> int:
        """How many are looked at first; own fields and rows' customers are looked up singly."""
        singly = self.fields or self.is_driven or self.part.field is not None
        return GLANCED_AT_ONE_BY_ONE if singly else GLANCED_AT

    @property
    def is_driven(self) -> bool:
        """Whether the customers come from another table, which has them in the order."""
        is_found_otherwise = self.few or any(field.way == "few" for field in self.fields)
        if not self.sort.is_newest_first or is_found_otherwise:
            return False
        return "tag" in self.names or any(field.way == "drive" for field in self.fields)

    @property
    def is_by_value(self) -> bool:
        """Whether the order is that of the values of a field, which another table has."""
        return self.part.field is not None and not self.part.is_rest

    def found_by(self, few: tuple[str, ...]) -> "Shape":
        """The same list by way of all who meet these conditions, which few do."""
        if self.is_by_value:
            # Values of few customers are looked up anyway when it is planned for those few.
            return self
        fields = (
            replace(each, way="probe") if each.way == "drive" else each for each in self.fields
        )
        return replace(self, few=few, fields=tuple(fields))

    @property
    def is_planned_once(self) -> bool:
        """Whether one plan is right for all values: the order alone says how rows are come by."""
        if self.part.is_rest:
            return False
        return self.is_plain or (self.is_driven and not self.found)

    @property
    def kept(self) -> tuple[str, ...]:
        """The conditions that an index has together with the order."""
        if self.part.is_rest:
            return ()
        if self.sort.name != "created_at":
            return tuple(name for name in self.names if name.startswith(f"{self.sort.name}_"))
        if self.is_driven:
            return tuple(name for name in self.names if name == "tag" or name in OF_THE_ORDER)
        first = next((name for name in _IN_ORDER if name in self.names), None)
        kept = {first, f"{first}:rare", *OF_THE_ORDER}
        return tuple(name for name in self.names if name in kept)

    @property
    def found(self) -> list[tuple[str, ...]]:
        """Conditions by which an index finds all there are, in whatever order; the kept ones not.

        The first of each names what the index is of.
        """
        others = [name for name in self.names if name not in self.kept]
        found: list[tuple[str, ...]] = [(OWNED,)] if OWNED in others else []
        for name in others:
            of, _, form = name.partition(":")
            if of not in _IN_ORDER or form not in {"", "many"}:
                continue
            rare = tuple(each for each in others if each == f"{of}:rare")
            # What nearly everybody is has no index, and is met everywhere.
            if form == "" or rare or of not in ORDINARY:
                found.append((name, *rare))
        for name, companion in RANGES.items():
            bounds = tuple(f"{name}_{each}" for each in _BOUNDS if f"{name}_{each}" in others)
            if bounds and (companion is None or companion in others):
                found.append((*bounds, *([companion] if companion else [])))
        return found
