"""What the limits say no to."""

from shared.errors import TooManyRequests


class RateLimited(TooManyRequests):
    """One of the limits on a request's way is used up."""

    code = "rate_limited"

    def __init__(self, policy: str, *, retry_after: int, headers: dict[str, str]) -> None:
        super().__init__(
            f"The limit per {policy} is used up; try again in {retry_after} s",
            extensions={"policy": policy, "retry_after": retry_after},
            headers={"Retry-After": str(retry_after), **headers},
        )
