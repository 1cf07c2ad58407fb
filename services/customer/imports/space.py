"""How much a shop may have lying in files that were not taken in."""

from dataclasses import dataclass
from uuid import UUID

from services.customer.imports.errors import ImportSpaceUsedUp
from services.customer.imports.repository import ImportRepository


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportLimits:
    """The most files of a shop that wait, and their bytes together."""

    files: int
    bytes: int


class ImportSpace:
    """The space of one shop's files, inside one unit of work."""

    def __init__(self, imports: ImportRepository, limits: ImportLimits) -> None:
        self._imports = imports
        self._limits = limits

    async def left_for(self, import_id: UUID) -> int:
        """How many bytes an import may have, as it seems now. Raises ImportSpaceUsedUp."""
        files, waiting = await self._imports.waiting(besides=import_id)
        self._check(files + 1, waiting)
        return self._limits.bytes - waiting

    def check(self, received: int, *, left: int) -> None:
        """Refuse what is more than what was left. Raises ImportSpaceUsedUp."""
        if received > left:
            raise ImportSpaceUsedUp("bytes", self._limits.bytes)

    async def take(self, import_id: UUID, received: int) -> None:
        """Make sure that an import with so many bytes has its place. Raises ImportSpaceUsedUp.

        Whoever does the same at the same time waits for the end of this unit of work, so it is
        asked last.
        """
        await self._imports.hold_space()
        files, waiting = await self._imports.waiting(besides=import_id)
        self._check(files + 1, waiting + received)

    def _check(self, files: int, waiting: int) -> None:
        if files > self._limits.files:
            raise ImportSpaceUsedUp("files", self._limits.files)
        if waiting > self._limits.bytes:
            raise ImportSpaceUsedUp("bytes", self._limits.bytes)
