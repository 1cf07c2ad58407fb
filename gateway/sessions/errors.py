"""What can go wrong with logging in. Nothing here tells which part of a credential was wrong."""

from collections.abc import Sequence

from shared.errors import Conflict, Unauthenticated


class LoginFailed(Unauthenticated):
    """Unknown address, wrong password, locked out: a caller cannot tell which."""

    code = "login_failed"
    title = "The address or the password is wrong"


class RefreshTokenRefused(Unauthenticated):
    """Unknown, expired, spent, or of a session that has ended."""

    code = "refresh_token_refused"
    title = "Log in again"


class ShopRequired(Conflict):
    """The address and the password are right in several shops."""

    code = "shop_required"
    title = "Say which shop to log in to"

    def __init__(self, slugs: Sequence[str]) -> None:
        super().__init__(extensions={"shops": list(slugs)})
