"""What can go wrong with calendars."""

from shared.errors import NotFound


class CalendarNotFound(NotFound):
    """No such calendar in this tenant."""

    code = "business_calendar_not_found"
    title = "There is no such business calendar"
