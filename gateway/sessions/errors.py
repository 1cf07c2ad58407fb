"""What can go wrong with logging in. Nothing here tells which part of a credential was wrong."""

from collections.abc import Sequence

from shared.errors import Conflict, Forbidden, NotFound, Unauthenticated


class LoginFailed(Unauthenticated):
    """Unknown address, wrong password, locked out: a caller cannot tell which."""

    code = "login_failed"
    title = "The address or the password is wrong"


class RefreshTokenRefused(Unauthenticated):
    """Unknown, expired, spent, or of a session that has ended."""

    code = "refresh_token_refused"
    title = "Log in again"


class SecondFactorRequired(Unauthenticated):
    """The password is right, and a code is to follow."""

    code = "second_factor_required"
    title = "Give the code of your authenticator app"

    def __init__(self, challenge: str, *, seconds: int) -> None:
        super().__init__()
        self.extensions = {"challenge_token": challenge, "expires_in": seconds}
        self.headers = {**self.headers, "Cache-Control": "no-store"}


class ChallengeRefused(Unauthenticated):
    """The code is wrong or used, or the password was given too long ago."""

    code = "challenge_refused"
    title = "The code is not valid, or log in from the start"


class NotStaff(Forbidden):
    """Only staff has sessions, a password and a second factor."""

    code = "not_staff"
    title = "This is for staff that has logged in"


class SessionNotFound(NotFound):
    """No such session, or it has ended."""

    code = "session_not_found"
    title = "There is no such session"


class ShopRequired(Conflict):
    """The address and the password are right in several shops."""

    code = "shop_required"
    title = "Say which shop to log in to"

    def __init__(self, slugs: Sequence[str]) -> None:
        super().__init__(extensions={"shops": list(slugs)})
