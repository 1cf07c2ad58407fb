"""What can go wrong with members of staff."""

from shared.errors import FieldError, Invalid


class UnknownStaff(Invalid):
    """Nobody who works here."""

    code = "unknown_staff"
    title = "There is no such member of staff"

    def __init__(self, pointer: str) -> None:
        super().__init__(errors=[FieldError(pointer, self.code, "Name active staff of the shop")])
