"""What can go wrong with segments."""

from shared.errors import Conflict, FieldError, Invalid, NotFound
from shared.privacy.errors import PersonalDataAsked


class SegmentNotFound(NotFound):
    """No such segment in this tenant."""

    code = "segment_not_found"
    title = "There is no such segment"


class SegmentKeyTaken(Conflict):
    """Another segment has this key."""

    code = "segment_key_taken"
    title = "Another segment has this key"

    def __init__(self, key: str) -> None:
        super().__init__(f"The key {key} belongs to another segment", extensions={"key": key})


class SegmentPaused(Conflict):
    """Nobody is evaluated for a paused segment."""

    code = "segment_paused"
    title = "The segment is paused"


class TooManySegments(Conflict):
    """The shop has as many segments as it may have."""

    code = "too_many_segments"
    title = "The shop has too many segments"


class TemplateNotFound(Invalid):
    """There is no template of this key."""

    code = "segment_template_not_found"
    title = "There is no such segment template"

    def __init__(self, key: str) -> None:
        fault = FieldError("/body/template/key", "unknown_template", f"No template is called {key}")
        super().__init__(errors=[fault])


class PersonalRule(PersonalDataAsked):
    """The rule asks about personal data, and the caller may not see those."""

    code = "personal_rule"
    title = "The rule asks about personal data"


class CustomerUnknown(NotFound):
    """No such customer is known here (yet)."""

    code = "customer_not_found"
    title = "There is no such customer"
