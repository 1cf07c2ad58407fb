"""The file: a ZIP of one CSV per table and a manifest. Written and read as a stream."""

import hashlib
import os
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from cli.backup.errors import BackupUnusable
from cli.backup.manifest import MANIFEST, Manifest, TableEntry, member_name

_CHUNK = 1 << 18
_LEVEL = 6
Advance = Callable[[int], None]


class Member:
    """One file of the archive while it is written; asyncpg calls it with what COPY says."""

    def __init__(self, file: IO[bytes], advance: Advance) -> None:
        self._file = file
        self._advance = advance
        self._digest = hashlib.sha256()
        self.size = 0

    async def __call__(self, data: bytes) -> None:
        """Add bytes."""
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)
        self._advance(len(data))

    @property
    def sha256(self) -> str:
        """The digest of everything added so far."""
        return self._digest.hexdigest()


class ArchiveWriter:
    """Writes a backup that appears under its name when it is whole, readable by its owner only."""

    def __init__(self, path: Path, *, advance: Advance) -> None:
        self._path = path
        self._draft = path.with_name(f"{path.name}.part")
        self._advance = advance
        self._manifest: Manifest | None = None

    def __enter__(self) -> Self:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        self._file = os.fdopen(os.open(self._draft, flags, 0o600), "wb")
        self._zip = zipfile.ZipFile(
            self._file, "w", compression=zipfile.ZIP_DEFLATED, compresslevel=_LEVEL
        )
        return self

    @contextmanager
    def member(self, schema: str, table: str) -> Iterator[Member]:
        """A table's file; one at a time."""
        with self._zip.open(member_name(schema, table), "w", force_zip64=True) as file:
            yield Member(file, self._advance)

    def finish(self, manifest: Manifest) -> None:
        """Say what is in it; without this nothing is kept."""
        self._zip.writestr(MANIFEST, manifest.dump())
        self._manifest = manifest

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        whole = False
        try:
            if kind is None and self._manifest is not None:
                self._zip.close()
                self._file.flush()
                os.fsync(self._file.fileno())
                whole = True
        finally:
            self._file.close()
            if whole:
                self._draft.replace(self._path)
            else:
                self._draft.unlink(missing_ok=True)


class ArchiveReader:
    """Reads a backup. Raises BackupUnusable when it is none."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        try:
            self._zip = zipfile.ZipFile(self._path)
            self.manifest = Manifest.load(self._zip.read(MANIFEST))
        except FileNotFoundError as error:
            raise BackupUnusable(f"There is no file {self._path}.") from error
        except (zipfile.BadZipFile, KeyError, OSError) as error:
            raise BackupUnusable(
                f"{self._path} is not a backup of careloop, or it was cut off: {error}"
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def verify(self, advance: Advance) -> None:
        """Read everything once. Raises BackupUnusable for the first byte that is not as written."""
        for schema, part in self.manifest.schemas.items():
            for table in part.tables:
                digest = hashlib.sha256()
                for chunk in self._chunks(schema, table):
                    digest.update(chunk)
                    advance(len(chunk))
                if digest.hexdigest() != table.sha256:
                    raise _damaged(schema, table)

    async def rows(self, schema: str, table: TableEntry, advance: Advance) -> AsyncIterator[bytes]:
        """A table's file in pieces, for COPY."""
        for chunk in self._chunks(schema, table):
            yield chunk
            advance(len(chunk))

    def _chunks(self, schema: str, table: TableEntry) -> Iterator[bytes]:
        try:
            with self._zip.open(member_name(schema, table.name)) as file:
                while chunk := file.read(_CHUNK):
                    yield chunk
        except (zipfile.BadZipFile, KeyError, OSError, EOFError, zlib.error) as error:
            raise _damaged(schema, table) from error


def _damaged(schema: str, table: TableEntry) -> BackupUnusable:
    return BackupUnusable(
        f"The backup is damaged: {member_name(schema, table.name)} is not what was written. "
        "Nothing was changed. Use another copy."
    )
