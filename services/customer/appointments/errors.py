"""What can go wrong with appointments and calendars."""

from collections.abc import Sequence
from uuid import UUID

from shared.errors import Conflict, FieldError, Forbidden, Invalid, NotFound


class AppointmentNotFound(NotFound):
    """No such appointment in this tenant."""

    code = "appointment_not_found"
    title = "There is no such appointment"


class StaffBooked(Conflict):
    """Nobody meets two customers at once, unless it is wanted so."""

    code = "staff_booked"
    title = "The member of staff has another appointment at that time"

    def __init__(self, appointment_ids: Sequence[UUID]) -> None:
        super().__init__(extensions={"appointment_ids": [str(one) for one in appointment_ids]})


class TransitionNotAllowed(Conflict):
    """An appointment cannot go from one status to that other one."""

    code = "transition_not_allowed"
    title = "The appointment cannot get that status now"

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__(extensions={"allowed_transitions": list(allowed)})


class PeriodNotValid(Invalid):
    """It ends before it begins, or takes longer than a day."""

    code = "period_not_valid"
    title = "An appointment ends after it begins, within a day"

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/body/ends_at", self.code, "At most 24 hours later")])


class NotYourCalendar(Forbidden):
    """Who does not see everybody's work sees nobody else's calendar."""

    code = "not_your_calendar"
    title = "Calendars of others are for those who see everybody's work"


class CalendarNotFound(NotFound):
    """No calendar has this address."""

    code = "calendar_not_found"
    title = "There is no such calendar"
