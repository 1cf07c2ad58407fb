"""Calendars as RFC 5545 has them. Pure functions."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

MEDIA_TYPE: Final = "text/calendar; charset=utf-8"
_LONGEST_LINE: Final = 75
_ESCAPED: Final = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": ""})


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """An event of a calendar. `sequence` grows whenever it is changed."""

    uid: str
    sequence: int
    stamped_at: datetime
    starts_at: datetime
    ends_at: datetime
    summary: str
    status: Literal["CONFIRMED", "CANCELLED"]
    location: str | None = None
    description: str | None = None
    remind_minutes: int | None = None


def calendar(name: str, events: Iterable[CalendarEvent]) -> bytes:
    """A calendar as a file: folded lines that end in CRLF, in UTF-8."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Careloop//Care diary//EN"]
    lines += ["CALSCALE:GREGORIAN", "METHOD:PUBLISH", f"X-WR-CALNAME:{escaped(name)}"]
    for event in events:
        lines += _event(event)
    lines.append("END:VCALENDAR")
    return b"".join(folded(line) for line in lines)


def escaped(text: str) -> str:
    """A text as a value (RFC 5545, 3.3.11)."""
    return text.translate(_ESCAPED)


def folded(line: str) -> bytes:
    """A content line in pieces of at most 75 octets (RFC 5545, 3.1), no character cut apart."""
    pieces: list[bytearray] = [bytearray()]
    for char in line:
        octets = char.encode()
        # A piece that goes on begins with a space, which counts.
        room = _LONGEST_LINE - (len(pieces) > 1)
        if len(pieces[-1]) + len(octets) > room:
            pieces.append(bytearray())
        pieces[-1] += octets
    return b"\r\n ".join(pieces) + b"\r\n"


def _event(event: CalendarEvent) -> Sequence[str]:
    return ["BEGIN:VEVENT", *_properties(event), *_alarm(event), "END:VEVENT"]


def _properties(event: CalendarEvent) -> Iterator[str]:
    yield f"UID:{escaped(event.uid)}"
    yield f"SEQUENCE:{event.sequence}"
    yield f"DTSTAMP:{_instant(event.stamped_at)}"
    yield f"LAST-MODIFIED:{_instant(event.stamped_at)}"
    yield f"DTSTART:{_instant(event.starts_at)}"
    yield f"DTEND:{_instant(event.ends_at)}"
    yield f"SUMMARY:{escaped(event.summary)}"
    yield f"STATUS:{event.status}"
    if event.location is not None:
        yield f"LOCATION:{escaped(event.location)}"
    if event.description is not None:
        yield f"DESCRIPTION:{escaped(event.description)}"


def _alarm(event: CalendarEvent) -> Iterator[str]:
    if event.remind_minutes is not None and event.status == "CONFIRMED":
        yield from ("BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{escaped(event.summary)}")
        yield from (f"TRIGGER:-PT{event.remind_minutes}M", "END:VALARM")


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
