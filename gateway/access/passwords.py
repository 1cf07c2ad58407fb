"""Passwords: argon2id (RFC 9106), away from the event loop."""

import asyncio
import secrets
from collections.abc import Iterable
from functools import cached_property
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.access.password_policy import check_password

# OWASP's password storage recommendation for argon2id: 19 MiB, two passes, one lane.
_MEMORY_KIB, _PASSES, _LANES = 19 * 1024, 2, 1
# Hashing keeps a core busy for tens of milliseconds; more at once would starve the requests.
_AT_ONCE = 2

NO_PASSWORD: Final = "!"  # noqa: S105
"""Stored where a person has not chosen a password yet: no password fits it."""


class Passwords:
    """Hashes and verifies passwords, a bounded number at a time."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(
            time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES
        )
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def hash(self, password: str) -> str:
        """The encoded hash to store."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def choose(
        self, password: str, *, about: Iterable[str], pointer: str = "/body/password"
    ) -> str:
        """The hash of a password that somebody wants to have. Raises WeakPassword."""
        async with self._turns:
            return await asyncio.to_thread(self._choose, password, tuple(about), pointer)

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether the password is the one stored; with nothing stored, no, at the same cost."""
        async with self._turns:
            return await asyncio.to_thread(self._verify, password, stored)

    def outdated(self, stored: str) -> bool:
        """Whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    @cached_property
    def _nobodys(self) -> str:
        return self._hasher.hash(secrets.token_hex(16))

    def _choose(self, password: str, about: tuple[str, ...], pointer: str) -> str:
        check_password(password, about=about, pointer=pointer)
        return self._hasher.hash(password)

    def _verify(self, password: str, stored: str | None) -> bool:
        if stored is None or stored == NO_PASSWORD:
            self._matches(password, self._nobodys)
            return False
        return self._matches(password, stored)

    def _matches(self, password: str, stored: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
