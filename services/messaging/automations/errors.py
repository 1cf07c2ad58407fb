"""What can be wrong with an automation."""

from shared.errors import Conflict, Invalid, NotFound


class AutomationNotFound(NotFound):
    """No such automation in this tenant."""

    code = "automation_not_found"
    title = "There is no such automation"


class AutomationKeyTaken(Conflict):
    """Another automation has this key."""

    code = "automation_key_taken"
    title = "There is an automation with this key already"


class AutomationTemplateUnknown(Invalid):
    """The template that an automation names does not exist."""

    code = "unknown_template"
    title = "There is no such template"
