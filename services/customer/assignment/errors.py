"""What can go wrong with assignment rules."""

from shared.errors import FieldError, Invalid, NotFound


class AssignmentRuleNotFound(NotFound):
    """No such rule in this tenant."""

    code = "assignment_rule_not_found"
    title = "There is no such assignment rule"


class ShiftEndsBeforeStart(Invalid):
    """A shift lies within one day; `index` says which of those given does not."""

    code = "shift_ends_before_start"
    title = "A shift ends after it begins"

    def __init__(self, index: int) -> None:
        detail = "A shift ends after it begins; split one over midnight in two"
        super().__init__(errors=[FieldError(f"/body/shifts/{index}/ends", self.code, detail)])


class ShiftsOverlap(Invalid):
    """Nobody works the same hour twice."""

    code = "shifts_overlap"
    title = "The shifts of one day must not overlap"

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/body/shifts", self.code, "Join them into one")])
