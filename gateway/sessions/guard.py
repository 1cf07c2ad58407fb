"""Slowing down those who guess passwords and codes, on every node of the installation."""

import hashlib
import math
from typing import Final, Literal

import structlog

from gateway.limits.sites import site_of
from gateway.sessions.attempts import (
    AttemptRule,
    AttemptsUnavailable,
    LocalAttempts,
    SharedAttempts,
)
from shared.clock import Clock
from shared.errors import TooManyRequests

LONGEST_WAIT: Final = 3600.0
# An address gets two guesses an hour for good; behind one client address sit many people.
_ADDRESS_DECAY: Final = 1800.0
_CLIENT_DECAY: Final = 60.0
_log = structlog.get_logger(__name__)

Guessed = Literal["address", "code", "proof", "reset"]
"""What is counted: passwords of an e-mail address, codes and proofs of a member, mails asked for.

Each has a count of its own, whatever its subject is called.
"""


class TooManyLogins(TooManyRequests):
    """Too many failures lately; whether the address exists makes no difference."""

    code = "too_many_logins"
    title = "Too many failed logins: try again later"


class LoginGuard:
    """Counts failed logins per e-mail address and per client site, in all processes together.

    It counts addresses that nobody has as well, so that a refusal tells nothing. A guess is counted
    before it is tried, so that a thousand at once are no way around. Without Redis each process
    counts alone: never closed, never without a limit. Sessions that are open are not touched.
    """

    def __init__(
        self,
        shared: SharedAttempts,
        *,
        clock: Clock,
        failures: int,
        failures_per_client: int,
        window_seconds: float,
    ) -> None:
        self._shared = shared
        self._local = LocalAttempts()
        self._clock = clock
        longest = max(LONGEST_WAIT, window_seconds)
        self._of_address = AttemptRule(failures, window_seconds, longest, _ADDRESS_DECAY)
        self._of_client = AttemptRule(failures_per_client, window_seconds, longest, _CLIENT_DECAY)

    async def admit(
        self, subject: str, client_ip: str | None, *, what: Guessed = "address"
    ) -> None:
        """Count a guess. Raises TooManyLogins while there were too many, and counts nothing."""
        keys = [(_name(what, subject), self._of_address)]
        if client_ip:
            keys.append((_client(client_ip), self._of_client))
        now = self._clock.now().timestamp()
        try:
            wait, kept = await self._shared.take(keys, now=now)
        except AttemptsUnavailable as error:
            _log.warning("login_guard_alone", error=repr(error.__cause__)[:200])
            wait = self._local.take(keys, now=now)
        else:
            for (name, _), counted in zip(keys, kept, strict=True):
                self._local.learn(name, counted)
        if wait > 0:
            raise TooManyLogins(headers={"Retry-After": str(math.ceil(wait))})

    async def succeeded(
        self, subject: str, client_ip: str | None, *, what: Guessed = "address"
    ) -> None:
        """Whoever knows all that could be guessed may start over; their client made no guess."""
        await self._forget(_name(what, subject))
        if client_ip:
            await self._give_back(_client(client_ip))

    async def was_no_guess(self, address: str, client_ip: str | None) -> None:
        """This attempt does not count; those before it do."""
        await self._give_back(_name("address", address))
        if client_ip:
            await self._give_back(_client(client_ip))

    async def close(self) -> None:
        """Close the connections."""
        await self._shared.close()

    async def _forget(self, name: str) -> None:
        self._local.forget(name)
        try:
            await self._shared.forget(name)
        except AttemptsUnavailable as error:
            _log.warning("login_guard_alone", error=repr(error.__cause__)[:200])

    async def _give_back(self, name: str) -> None:
        self._local.give_back(name)
        try:
            await self._shared.give_back(name)
        except AttemptsUnavailable as error:
            _log.warning("login_guard_alone", error=repr(error.__cause__)[:200])


def _client(client_ip: str) -> str:
    return _name("client", site_of(client_ip))


def _name(kind: Guessed | Literal["client"], subject: str) -> str:
    """The key of a subject, which is nobody's to read in Redis."""
    return f"careloop:login:{kind}:{hashlib.sha256(subject.encode()).hexdigest()[:32]}"
