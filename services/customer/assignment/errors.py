"""What can go wrong with assignment rules."""

from shared.errors import FieldError, Invalid, NotFound


class AssignmentRuleNotFound(NotFound):
    """No such rule in this tenant."""

    code = "assignment_rule_not_found"
    title = "There is no such assignment rule"


class ShiftsOverlap(Invalid):
    """Nobody works the same hour twice."""

    code = "shifts_overlap"
    title = "The shifts of one day must not overlap"

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/body/shifts", self.code, "Join them into one")])
