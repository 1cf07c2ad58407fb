"""What can go wrong with customers."""

from collections.abc import Sequence
from uuid import UUID

from shared.errors import Conflict, FieldError, Invalid, NotFound
from shared.privacy.errors import PersonalDataAsked


class CustomerNotFound(NotFound):
    """No such customer in this tenant."""

    code = "customer_not_found"
    title = "There is no such customer"


class CustomerIsErased(Conflict):
    """The person was erased: there is nobody to say anything of any more."""

    code = "customer_erased"
    title = "The customer was erased"


class IdentityTaken(Conflict):
    """A verified identity belongs to one customer, and it is another one."""

    code = "identity_taken"
    title = "Another customer is known by this identity"

    def __init__(self, holders: Sequence[UUID] = ()) -> None:
        super().__init__(extensions={"customer_ids": [str(holder) for holder in holders]})


class IdentityHasEnded(Conflict):
    """An address or number was the customer's, and somebody has said that it is no more."""

    code = "identity_ended"
    title = "It is not the customer's any more; add it to their identities if it is again"


class NotYetBorn(Invalid):
    """A birthday that has not been."""

    code = "not_yet_born"
    title = "A birthday cannot lie in the future"

    def __init__(self, field: str) -> None:
        fault = FieldError(f"/body/{field}", self.code, "Give a day that has been")
        super().__init__(errors=[fault])


class PersonalQuestion(PersonalDataAsked):
    """A list is asked for by what its caller is not shown."""

    code = "personal_question"
    title = "The list is asked for by personal data"


class PhoneNotValid(Invalid):
    """A number that cannot be dialled."""

    code = "phone_not_valid"
    title = "The phone number is not valid"

    def __init__(self, region: str) -> None:
        fault = FieldError("/body/phone", "phone", f"No phone number, read as one of {region}")
        super().__init__(errors=[fault])
