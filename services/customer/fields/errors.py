"""What can go wrong with fields that a shop defines."""

from collections.abc import Sequence

from shared.errors import Conflict, FieldError, Invalid, NotFound


class CustomFieldNotFound(NotFound):
    """No such field in this tenant."""

    code = "custom_field_not_found"
    title = "There is no such custom field"


class CustomFieldKeyTaken(Conflict):
    """Another field has this key."""

    code = "custom_field_key_taken"
    title = "Another custom field has this key"


class CustomFieldInUse(Conflict):
    """Customers have values in it that the change would leave without a meaning."""

    code = "custom_field_in_use"
    title = "Customers have values in this field"


class TooManyCustomFields(Conflict):
    """A shop has so many fields and no more."""

    code = "too_many_custom_fields"
    title = "There are too many custom fields"


class ValuesNotValid(Invalid):
    """What was said of fields that the shop has defined does not fit them."""

    code = "custom_values_not_valid"
    title = "Custom fields do not take these values"

    def __init__(self, faults: Sequence[FieldError]) -> None:
        super().__init__(errors=faults)


class FieldDefinitionNotValid(Invalid):
    """The parts of a definition do not fit together."""

    code = "custom_field_not_valid"
    title = "The definition of the field does not fit together"

    def __init__(self, faults: Sequence[FieldError]) -> None:
        super().__init__(errors=faults)
