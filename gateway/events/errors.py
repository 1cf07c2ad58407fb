"""What can go wrong with the feed."""

from shared.errors import CareloopError, FieldError, Invalid, NotFound


class EventNotFound(NotFound):
    """No such event in this shop, or one that was forgotten meanwhile."""

    code = "event_not_found"
    title = "There is no such event"


class CursorExpired(CareloopError):
    """What follows the cursor was forgotten in part: a client would miss something."""

    status = 410
    code = "cursor_expired"
    title = "Events after this cursor are no longer kept"

    def __init__(self, *, oldest: int) -> None:
        super().__init__(
            "Read the objects that you keep anew, then go on from the oldest cursor",
            extensions={"oldest_cursor": str(oldest)},
        )


class CursorInvalid(Invalid):
    """Not a cursor that this feed has given."""

    code = "cursor_invalid"
    title = "This is no cursor of this feed"

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(errors=[FieldError(pointer, "cursor_invalid", detail)])


class TypesUnknown(Invalid):
    """A filter that nothing can pass."""

    code = "event_type_unknown"
    title = "There are no such events"

    def __init__(self, pointer: str, unknown: list[str]) -> None:
        detail = f"No public event is called {', '.join(unknown)}"
        super().__init__(detail, errors=[FieldError(pointer, "event_type_unknown", detail)])
