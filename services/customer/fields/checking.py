"""Whether what a client says of a customer fits the fields that the shop has defined."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from services.customer.fields.errors import ValuesNotValid
from services.customer.fields.keeping import NOT_UNIQUE
from services.customer.fields.record import CustomField
from services.customer.fields.repository import FieldRepository
from services.customer.fields.values import ValueFault, read_value
from shared.db.unit_of_work import UnitOfWork
from shared.errors import FieldError

_POINTER: Final = "/body/attributes"


class FieldRules:
    """The shop's fields as rules for what clients write, inside one unit of work.

    To say again what a customer has already is always right, but for callers who are not shown it:
    they could find out by trying what a field that takes no such value (any more) holds.
    """

    def __init__(self, uow: UnitOfWork, *, sees_personal: bool) -> None:
        self._fields = FieldRepository(uow)
        self._sees_personal = sees_personal

    async def of_new(self, said: Mapping[str, Any], *, pointer: str = _POINTER) -> dict[str, Any]:
        """The attributes of a new customer as they are kept. Raises ValuesNotValid.

        What is missing is seen when the customer is added.
        """
        if not said:
            return {}
        fields = await self._fields.all()
        if not fields:
            return dict(said)
        checked, faults = await self._read(fields, said, {}, None, pointer)
        if faults:
            raise ValuesNotValid(faults)
        return checked

    async def of_change(
        self,
        said: Mapping[str, Any] | None,
        before: Mapping[str, Any],
        *,
        customer_id: UUID,
        pointer: str = _POINTER,
    ) -> dict[str, Any] | None:
        """The attributes that change, null for each that goes; None when all go.

        Raises ValuesNotValid.
        """
        fields = await self._fields.all()
        if not fields:
            return None if said is None else dict(said)
        if said is None:
            required = [f for f in fields if f.required and f.archived_at is None]
            faults = [_required(pointer, f.key) for f in required if f.key in before]
            if faults:
                raise ValuesNotValid(faults)
            return None
        checked, faults = await self._read(fields, said, before, customer_id, pointer)
        if faults:
            raise ValuesNotValid(faults)
        return checked

    async def _read(
        self,
        fields: list[CustomField],
        said: Mapping[str, Any],
        before: Mapping[str, Any],
        customer_id: UUID | None,
        pointer: str,
    ) -> tuple[dict[str, Any], list[FieldError]]:
        known = {field.key: field for field in fields}
        checked, faults = dict(said), []
        is_strict = await self._is_strict() if said.keys() - known.keys() else False
        for key, raw in said.items():
            field = known.get(key)
            is_shown = self._sees_personal or field is None or not field.is_personal
            if is_shown and raw is not None and raw == before.get(key):
                continue
            try:
                if field is None:
                    if is_strict and raw is not None:
                        raise ValueFault("unknown_field", "The shop has defined no such field")
                elif raw is None:
                    if field.required and field.archived_at is None:
                        faults.append(_required(pointer, key))
                else:
                    checked[key] = await self._value(field, raw, customer_id)
            except ValueFault as fault:
                faults.append(FieldError(f"{pointer}/{key}", fault.code, str(fault)))
        return checked, faults

    async def _value(self, field: CustomField, raw: Any, customer_id: UUID | None) -> Any:
        if field.archived_at is not None:
            raise ValueFault("archived", "The field is archived and takes no new values")
        value = read_value(field, raw)
        if field.is_unique:
            key = str(value.keys[0])
            # Held until the commit: nobody else takes the value in between.
            await self._fields.get(field.id, lock=True)
            holders = (await self._fields.holders(field.id, [key])).get(key, set())
            if customer_id is not None:
                holders -= set((await self._fields.roots([customer_id])).values())
            if holders:
                raise ValueFault(NOT_UNIQUE, "Another customer has this value")
        return value.kept

    async def _is_strict(self) -> bool:
        policy = await self._fields.policy()
        return policy is not None and policy.strict


def refuse_missing(required: Sequence[str], attributes: Iterable[Mapping[str, Any]]) -> None:
    """Raises ValuesNotValid when somebody has nothing in a field that must have a value."""
    for given in attributes:
        missing = [key for key in required if given.get(key) is None]
        if missing:
            raise ValuesNotValid([_required(_POINTER, key) for key in missing])


def _required(pointer: str, key: str) -> FieldError:
    return FieldError(f"{pointer}/{key}", "required", "The field must have a value")
