"""What can go wrong with staff."""

from shared.errors import Conflict, NotFound


class StaffNotFound(NotFound):
    """No such member of staff in this shop."""

    code = "staff_not_found"
    title = "There is no such member of staff"


class StaffEmailTaken(Conflict):
    """An address can log in once per shop."""

    code = "staff_email_taken"
    title = "Somebody of this shop logs in with this address already"


class LastOwner(Conflict):
    """A shop always has an owner who can log in."""

    code = "last_owner"
    title = "The shop would be left without an owner"
