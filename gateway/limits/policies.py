"""Which limits a request meets, and what its answer says of them.

The answer's headers are those of the IETF draft "RateLimit header fields for HTTP":
`RateLimit-Policy: "caller";q=2000;w=10, "shop";q=5000;w=10` and, of the tightest of them,
`RateLimit: "caller";r=1999;t=1`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from gateway.access.identity import Identity
from gateway.access.rate_limit import RateLimit
from gateway.limits.bucket import Bucket
from gateway.limits.errors import RateLimited
from gateway.limits.limiter import RateLimiter
from gateway.limits.sites import site_of
from shared.security.principal import PrincipalKind

RawHeaders = list[tuple[bytes, bytes]]
POLICY_HEADER: Final = "ratelimit-policy"
STANDING_HEADER: Final = "ratelimit"

CALLER: Final = "caller"
SHOP: Final = "shop"
ADDRESS: Final = "address"


@dataclass(frozen=True, slots=True)
class Limits:
    """How often each kind of caller may ask. A key may have a limit of its own instead."""

    key: RateLimit
    staff: RateLimit
    shopper: RateLimit
    shop: RateLimit
    address: RateLimit
    """Of those without (good) credentials, and of each visitor behind a publishable key."""
    page: RateLimit
    hook: RateLimit


class RequestLimits:
    """Lets requests through or refuses them.

    Every method raises RateLimited, and then counts nothing; else it gives the headers that tell
    the caller how it stands.
    """

    def __init__(self, limiter: RateLimiter, limits: Limits) -> None:
        self._limiter = limiter
        self._limits = limits
        self._of_kind = {
            PrincipalKind.API_KEY: limits.key,
            PrincipalKind.STAFF: limits.staff,
            PrincipalKind.SHOPPER: limits.shopper,
        }

    def admit(self, caller: Identity, address: str) -> RawHeaders:
        """A request of a known caller; the operator meets no limit."""
        limit = caller.rate_limit or self._of_kind.get(caller.kind)
        if limit is None:
            return []
        tenant = caller.tenant_id.hex
        buckets = [
            self._limiter.bucket(f"careloop:limit:{tenant}:{caller.actor_id}", limit),
            self._limiter.bucket(f"careloop:limit:{tenant}", self._limits.shop),
        ]
        policies: tuple[str, ...] = (CALLER, SHOP)
        if caller.is_published:
            visitor = f"careloop:limit:{tenant}:{caller.actor_id}:{site_of(address)}"
            buckets.append(self._limiter.bucket(visitor, self._limits.address))
            policies = (CALLER, SHOP, ADDRESS)
        return self._spend(policies, buckets)

    def admit_stranger(self, address: str) -> RawHeaders:
        """A request of somebody who has not said who they are, or not truly."""
        return self._admit_address("address", self._limits.address, address)

    def check_stranger(self, address: str) -> None:
        """Before looking up who somebody says they are: refused like a stranger, but not counted.

        It is counted by `admit_stranger`, once it has turned out not to be true.
        """
        bucket = self._address_bucket("address", self._limits.address, address)
        if bucket.tokens < 1:
            self._spend((ADDRESS,), [bucket])

    def admit_visitor(self, address: str) -> RawHeaders:
        """A request for a page that a person opens."""
        return self._admit_address("page", self._limits.page, address)

    def admit_hook(self, address: str) -> RawHeaders:
        """A platform's delivery; platforms deliver for many shops from few addresses."""
        return self._admit_address("hook", self._limits.hook, address)

    def _admit_address(self, kind: str, limit: RateLimit, address: str) -> RawHeaders:
        return self._spend((ADDRESS,), [self._address_bucket(kind, limit, address)])

    def _address_bucket(self, kind: str, limit: RateLimit, address: str) -> Bucket:
        return self._limiter.bucket(f"careloop:limit:{kind}:{site_of(address)}", limit)

    def _spend(self, policies: tuple[str, ...], buckets: Sequence[Bucket]) -> RawHeaders:
        empty = self._limiter.spend(*buckets)
        policy_header = _policy_header(policies, tuple(bucket.limit for bucket in buckets))
        tightest = empty or min(buckets, key=_fullness)
        name = policies[buckets.index(tightest)]
        standing = b'"%b";r=%d;t=%d' % (name.encode(), tightest.remaining, tightest.full_in)
        if empty is not None:
            told = {POLICY_HEADER: policy_header.decode(), STANDING_HEADER: standing.decode()}
            raise RateLimited(name, retry_after=empty.next_in, headers=told)
        return [
            (POLICY_HEADER.encode(), policy_header),
            (STANDING_HEADER.encode(), standing),
        ]


class NoLimits(RequestLimits):
    """For an installation whose operator limits requests elsewhere."""

    def __init__(self) -> None:
        """Nothing to know."""

    def admit(self, caller: Identity, address: str) -> RawHeaders:
        """Always."""
        del caller, address
        return []

    def admit_stranger(self, address: str) -> RawHeaders:
        """Always."""
        del address
        return []

    def check_stranger(self, address: str) -> None:
        """Always."""
        del address

    def admit_visitor(self, address: str) -> RawHeaders:
        """Always."""
        del address
        return []

    def admit_hook(self, address: str) -> RawHeaders:
        """Always."""
        del address
        return []


def _fullness(bucket: Bucket) -> float:
    return bucket.tokens / bucket.capacity


@lru_cache(maxsize=1024)
def _policy_header(policies: tuple[str, ...], limits: tuple[RateLimit, ...]) -> bytes:
    pairs = zip(policies, limits, strict=True)
    text = ", ".join(f'"{name}";q={limit.requests};w={limit.seconds}' for name, limit in pairs)
    return text.encode()
