"""What can go wrong with statistics of care."""

from shared.errors import FieldError, Invalid


class ReportPeriodNotValid(Invalid):
    """It ends before it begins, or is too long for one answer."""

    code = "period_not_valid"
    title = "A report is of 1 to 31 days"

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/query/to", self.code, "At most 30 days after from")])
