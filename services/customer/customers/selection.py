"""Which customers somebody asks for: filters and order, the shop's own fields among them."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from services.customer.customers.conditions import CustomerFilter
from services.customer.customers.errors import PersonalQuestion
from services.customer.customers.filtering import (
    CustomerConditions,
    FieldQuestions,
    parameter_of,
)
from services.customer.customers.ordering import NEWEST, Sort, field_key_of, sort_of
from services.customer.fields.filtering import FieldCondition, read_condition
from services.customer.fields.record import CustomField
from services.customer.fields.repository import FieldRepository
from services.customer.fields.values import ValueFault
from shared.db.unit_of_work import UnitOfWork
from shared.errors import FieldError, Invalid

MOST_QUESTIONS: Final = 10
_PERSONAL: Final[Mapping[str, str]] = {
    **dict.fromkeys(("birth_month", "birth_day", "birth_date_gte", "birth_date_lt"), "birth_date"),
    **dict.fromkeys(("income_at_least_gte", "income_below_lte"), "income_band"),
    "tax_code": "tax_code",
}
"""Conditions on what is masked, and what they ask about."""

ATTRIBUTES: Final[Mapping[str, Any]] = {
    "name": "attributes",
    "in": "query",
    "required": False,
    "style": "deepObject",
    "explode": True,
    "description": "Fields of the shop's own, by key: `attributes[shoe_size]=39`. Operators stand "
    "in further brackets: `gte`, `gt`, `lte`, `lt`, `in`, `begins`, `exists`",
    "schema": {
        "type": "object",
        "maxProperties": MOST_QUESTIONS,
        "additionalProperties": {"type": "string", "maxLength": 500},
    },
}


class Selection:
    """What was asked for, inside one unit of work."""

    def __init__(
        self,
        uow: UnitOfWork,
        *,
        given: CustomerConditions,
        questions: FieldQuestions,
        sees_personal: bool = False,
        pointer: str = "/query/",
    ) -> None:
        self._uow = uow
        self._fields = FieldRepository(uow)
        self._given = given
        self._questions = questions
        self._sees_personal = sees_personal
        self._pointer = pointer
        self._known: dict[str, CustomField] = {}

    def needs_new_plans(self, sort: str) -> bool:
        """Whether a list with fields will be planned for its values, before those are looked up.

        Of one value, the newest first and nothing besides, there is but one way to come by it.
        """
        compares = any(asked.keys() != {"eq"} for asked in self._questions.values())
        asks_more = sort != NEWEST or bool(self._given.said)
        return compares or (bool(self._questions) and asks_more)

    async def wanted(self, *, currency: str) -> CustomerFilter:
        """The conditions.

        Raises Invalid for fields that there are not, or values they have not, PersonalQuestion for
        those whose values the caller is not shown.
        """
        self._check_personal()
        conditions = await self._conditions() if self._questions else []
        return CustomerFilter.of(
            self._given,
            at=self._uow.clock.now(),
            currency=currency,
            fields=conditions,
            pointer=self._pointer,
        )

    async def sort(self, text: str) -> Sort:
        """The order that a text says. Raises Invalid, PersonalQuestion."""
        key = field_key_of(text)
        if key is None:
            return sort_of(text, {})
        defined = await self._defined({key})
        self._check_may_ask([(f"{self._pointer}sort", key)], defined)
        return sort_of(text, defined)

    async def _conditions(self) -> list[FieldCondition]:
        if len(self._questions) > MOST_QUESTIONS:
            detail = f"Conditions on {MOST_QUESTIONS} fields at most"
            raise Invalid(errors=[FieldError(f"{self._pointer}attributes", "too_many", detail)])
        defined = await self._defined(self._questions.keys())
        places = {key: self._place(key) for key in self._questions}
        self._check_may_ask([(place, key) for key, place in places.items()], defined)
        found: list[FieldCondition] = []
        faults: list[FieldError] = []
        for key, asked in self._questions.items():
            try:
                if key not in defined:
                    raise ValueFault("unknown_field", "The shop has defined no such field")
                found.append(read_condition(defined[key], asked))
            except ValueFault as fault:
                faults.append(FieldError(places[key], fault.code, str(fault)))
        if faults:
            raise Invalid(errors=faults)
        return found

    def _check_personal(self) -> None:
        """What is not shown is not asked about: a day of birth is found out by a few ranges."""
        if self._sees_personal:
            return
        faults = [
            _personal(f"{self._pointer}{parameter_of(name)}", of)
            for name, of in _PERSONAL.items()
            if getattr(self._given, name) is not None
        ]
        if faults:
            raise PersonalQuestion(faults)

    def _place(self, key: str) -> str:
        is_query = self._pointer == "/query/"
        return (
            f"{self._pointer}attributes[{key}]" if is_query else f"{self._pointer}attributes/{key}"
        )

    def _check_may_ask(
        self, asked: Iterable[tuple[str, str]], defined: Mapping[str, CustomField]
    ) -> None:
        """Who may ask often enough who has more than this knows what they have."""
        if self._sees_personal:
            return
        faults = [
            _personal(place, f"attributes.{key}")
            for place, key in asked
            if key in defined and defined[key].is_personal
        ]
        if faults:
            raise PersonalQuestion(faults)

    async def _defined(self, keys: Collection[str]) -> Mapping[str, CustomField]:
        """Those of these fields that there are, and others that were looked up before."""
        unknown = set(keys) - self._known.keys()
        if unknown:
            self._known |= {field.key: field for field in await self._fields.of_keys(unknown)}
        return self._known


def _personal(place: str, name: str) -> FieldError:
    return FieldError(place, "personal_field", f"{name} is personal data")
