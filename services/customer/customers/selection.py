"""Which customers somebody asks for: filters and order, the shop's own fields among them."""

from collections.abc import Mapping
from typing import Any, Final

from services.customer.customers.conditions import CustomerFilter
from services.customer.customers.filtering import CustomerConditions, FieldQuestions
from services.customer.customers.ordering import Sort, field_key_of, sort_of
from services.customer.fields.filtering import FieldCondition, read_condition
from services.customer.fields.record import CustomField
from services.customer.fields.repository import FieldRepository
from services.customer.fields.values import ValueFault
from shared.db.unit_of_work import UnitOfWork
from shared.errors import FieldError, Invalid

MOST_QUESTIONS: Final = 10
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
        pointer: str = "/query/",
    ) -> None:
        self._fields = FieldRepository(uow)
        self._given = given
        self._questions = questions
        self._pointer = pointer
        self._known: Mapping[str, CustomField] | None = None

    async def wanted(self, *, currency: str) -> CustomerFilter:
        """The conditions. Raises Invalid for fields that there are not, or values they have not."""
        conditions = await self._conditions() if self._questions else []
        return CustomerFilter.of(
            self._given, currency=currency, fields=conditions, pointer=self._pointer
        )

    async def sort(self, text: str) -> Sort:
        """The order that a text says. Raises Invalid."""
        return sort_of(text, await self._defined() if field_key_of(text) else {})

    async def _conditions(self) -> list[FieldCondition]:
        if len(self._questions) > MOST_QUESTIONS:
            detail = f"Conditions on {MOST_QUESTIONS} fields at most"
            raise Invalid(errors=[FieldError(f"{self._pointer}attributes", "too_many", detail)])
        defined = await self._defined()
        found: list[FieldCondition] = []
        faults: list[FieldError] = []
        for key, asked in self._questions.items():
            place = f"{self._pointer}attributes[{key}]"
            if self._pointer != "/query/":
                place = f"{self._pointer}attributes/{key}"
            try:
                if key not in defined:
                    raise ValueFault("unknown_field", "The shop has defined no such field")
                found.append(read_condition(defined[key], asked))
            except ValueFault as fault:
                faults.append(FieldError(place, fault.code, str(fault)))
        if faults:
            raise Invalid(errors=faults)
        return found

    async def _defined(self) -> Mapping[str, CustomField]:
        if self._known is None:
            self._known = {field.key: field for field in await self._fields.all()}
        return self._known
