"""What can go wrong with second factors."""

from shared.errors import Conflict, FieldError, Invalid


class CodeNotValid(Invalid):
    """Not the code of this moment, used before, or no recovery code."""

    code = "code_not_valid"
    title = "The code is not valid"

    def __init__(self) -> None:
        fault = FieldError("/body/code", "code_not_valid", "Take the one your app shows now")
        super().__init__(errors=[fault])


class PasswordNotRight(Invalid):
    """Whoever changes how they log in proves first that it is them."""

    code = "password_not_right"
    title = "This is not your password"

    def __init__(self, pointer: str = "/body/password") -> None:
        super().__init__(errors=[FieldError(pointer, "password_not_right", "Not your password")])


class SecondFactorExists(Conflict):
    """There is one already; it must be given up first."""

    code = "second_factor_exists"
    title = "Disable the second factor that you have first"


class NoSecondFactor(Conflict):
    """There is none, or it was never confirmed."""

    code = "no_second_factor"
    title = "There is no second factor"
