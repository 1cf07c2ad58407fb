"""Which customers somebody asks for: filters and order, the shop's own fields among them."""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final, TypeVar

from services.customer.customers.conditions import CustomerFilter
from services.customer.customers.errors import PersonalQuestion
from services.customer.customers.filtering import (
    CustomerConditions,
    FieldQuestions,
    parameter_of,
)
from services.customer.customers.ordering import Sort, field_key_of, sort_of
from services.customer.fields.filtering import FieldCondition, read_condition
from services.customer.fields.known import KnownFields
from services.customer.fields.record import CustomField
from services.customer.fields.repository import FieldRepository
from services.customer.fields.values import ValueFault
from shared.db.unit_of_work import UnitOfWork
from shared.errors import FieldError, Invalid

T = TypeVar("T")
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
        known: KnownFields | None = None,
    ) -> None:
        self._uow = uow
        self._fields = FieldRepository(uow)
        self._given = given
        self._questions = questions
        self._sees_personal = sees_personal
        self._pointer = pointer
        self._remembered = known if sees_personal else None
        self._defined: dict[str, CustomField] = {}

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

        def read(defined: Mapping[str, CustomField]) -> Sort:
            self._check_may_ask([(f"{self._pointer}sort", key)], defined)
            return sort_of(text, defined)

        return await self._by_fields({key}, read)

    async def _conditions(self) -> list[FieldCondition]:
        if len(self._questions) > MOST_QUESTIONS:
            detail = f"Conditions on {MOST_QUESTIONS} fields at most"
            raise Invalid(errors=[FieldError(f"{self._pointer}attributes", "too_many", detail)])
        return await self._by_fields(self._questions.keys(), self._read)

    def _read(self, defined: Mapping[str, CustomField]) -> list[FieldCondition]:
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

    async def _by_fields(
        self, keys: Collection[str], read: Callable[[Mapping[str, CustomField]], T]
    ) -> T:
        """What is read from those of these fields that there are. Raises what `read` raises."""
        if self._remembered is not None:
            lately = self._remembered.lately(self._uow, keys)
            # What is remembered may lack what was added meanwhile, which is no fault of the caller.
            with suppress(Invalid):
                if len(lately) == len(keys):
                    return read(lately)
        unknown = set(keys) - self._defined.keys()
        if unknown:
            fields = await self._fields.of_keys(unknown)
            self._defined |= {field.key: field for field in fields}
            if self._remembered is not None:
                self._remembered.learn(self._uow, fields)
        return read(self._defined)


def _personal(place: str, name: str) -> FieldError:
    return FieldError(place, "personal_field", f"{name} is personal data")
