"""What can be wrong with a message."""

from shared.errors import Conflict, Invalid, NotFound


class MessageNotFound(NotFound):
    """No such message in this tenant."""

    code = "message_not_found"
    title = "There is no such message"


class MessageNotCancellable(Conflict):
    """Only a message that is still planned can be cancelled."""

    code = "message_not_cancellable"
    title = "The message cannot be cancelled any more"


class UnknownTemplate(Invalid):
    """The template that a message names does not exist."""

    code = "unknown_template"
    title = "There is no such template"
