"""Appointments as a calendar (RFC 5545) that calendar programs subscribe to."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from icalendar import Alarm, Calendar, Event
from sqlalchemy import Row

MEDIA_TYPE: Final = "text/calendar; charset=utf-8"
_NAME: Final = "Careloop"


def calendar_file(appointments: Iterable[Row[*tuple[Any, ...]]]) -> bytes:
    """Rows of appointments with their customers' codes, as a file."""
    calendar = Calendar()
    calendar.add("prodid", "-//Careloop//Care diary//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", _NAME)
    for row in appointments:
        calendar.add_component(_event(row))
    rendered: bytes = calendar.to_ical()
    return rendered


def _event(row: Row[*tuple[Any, ...]]) -> Event:
    called_off = row.status == "cancelled"
    event = Event()
    event.add("uid", f"{row.id}@careloop")
    event.add("sequence", row.version)
    event.add("dtstamp", row.updated_at)
    event.add("last-modified", row.updated_at)
    event.add("dtstart", row.starts_at)
    event.add("dtend", row.ends_at)
    event.add("summary", f"{row.title} ({row.customer_code})")
    event.add("status", "CANCELLED" if called_off else "CONFIRMED")
    if row.place is not None:
        event.add("location", row.place)
    if row.remind_minutes is not None and not called_off:
        event.add_component(_alarm(row.remind_minutes, row.title))
    return event


def _alarm(minutes: int, title: str) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", title)
    alarm.add("trigger", timedelta(minutes=-minutes))
    return alarm
