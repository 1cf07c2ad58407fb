"""What is refused because it would tell of people."""

from collections.abc import Sequence

from shared.errors import FieldError, Forbidden
from shared.pii import PII_READ


class PersonalDataAsked(Forbidden):
    """Something is asked for by data that its caller is not shown."""

    def __init__(self, faults: Sequence[FieldError]) -> None:
        places = ", ".join(fault.pointer for fault in faults)
        super().__init__(
            f"This needs the scope {PII_READ}: {places}",
            errors=faults,
            extensions={"missing_scopes": [PII_READ]},
        )
