"""Reading the file of an import: its head first, then its rows, portion by portion."""

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from services.customer.imports.chunks import packed, portions
from services.customer.imports.delimited import (
    decoded_head,
    detect_delimiter,
    detect_encoding,
    records,
)
from services.customer.imports.errors import FileNotReadable
from services.customer.imports.file_repository import ImportFileRepository
from services.customer.imports.layout import Column, Numbered, columns_of, header_row
from services.customer.imports.repository import Import
from services.customer.imports.workbooks import BEGINNING, MOST_PACKED, Workbook
from shared.ids import TenantId

PIECE: Final = 2**20
"""How many bytes of a file are kept together."""

MOST_ROWS: Final = 1_000_000
_HEAD_ROWS: Final = 100
_WINDOW_PIECES: Final = 4
_WORKBOOK_ROWS: Final = 4000
_SKIPPED: Final = 20_000
# An old workbook of Excel, and what such a file is when it is protected by a password.
_COMPOUND: Final = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True)
class Head:
    """What the beginning of a file says of all of it."""

    reading: dict[str, Any]
    columns: list[Column]


@dataclass(frozen=True, slots=True)
class Portion:
    """Some rows, and where the next begin; `state` is None after the last."""

    rows: list[Numbered]
    state: dict[str, Any] | None


class FileReader:
    """Reads files of imports for a worker, whose open workbooks it keeps between two steps."""

    def __init__(self) -> None:
        self._open: dict[tuple[TenantId, UUID], _OpenWorkbook] = {}

    async def head(self, files: ImportFileRepository, found: Import, *, region: str) -> Head:
        """What there is to read. Raises FileNotReadable."""
        first = b"".join(await files.pieces(found.id, 0, 1))
        if first.startswith(BEGINNING):
            return await self._head_of_workbook(files, found, region=region)
        if first.startswith(_COMPOUND):
            raise FileNotReadable("old_or_protected_workbook")
        is_whole = found.pieces <= 1
        return await asyncio.to_thread(
            _head_of_text, first, found.reading, is_whole=is_whole, region=region
        )

    async def portion(
        self, files: ImportFileRepository, found: Import, state: Mapping[str, Any]
    ) -> Portion:
        """The rows that follow where `state` says. Raises FileNotReadable."""
        if found.reading["format"] == "xlsx":
            return await self._portion_of_workbook(files, found, row=state["row"])
        pieces = await files.pieces(found.id, state["piece"], _WINDOW_PIECES)
        return await asyncio.to_thread(_portion_of_text, pieces, found, state)

    def forget(self, tenant_id: TenantId, import_id: UUID) -> None:
        """Close what is open of an import."""
        opened = self._open.pop((tenant_id, import_id), None)
        if opened is not None:
            opened.close()

    async def _head_of_workbook(
        self, files: ImportFileRepository, found: Import, *, region: str
    ) -> Head:
        self.forget(files.tenant_id, found.id)
        book = await self._workbook(files, found)
        rows = await asyncio.to_thread(book.workbook.rows, _HEAD_ROWS)
        # What was read for the head is read again with the rest.
        self.forget(files.tenant_id, found.id)
        _check_not_empty(rows)
        asked = found.reading["asked"]
        header = _header(asked, rows, region=region)
        reading = {
            "asked": asked,
            "format": "xlsx",
            "sheet": book.workbook.sheet,
            "sheets": book.workbook.sheets[:50],
            "header_row": header,
        }
        return Head(reading, columns_of(rows, header, region=region))

    async def _portion_of_workbook(
        self, files: ImportFileRepository, found: Import, *, row: int
    ) -> Portion:
        book = (await self._workbook(files, found)).workbook
        if book.row > row:
            self.forget(files.tenant_id, found.id)
            book = (await self._workbook(files, found)).workbook
        if not await asyncio.to_thread(book.skip, row, at_most=_SKIPPED):
            return Portion([], {"row": row})
        rows = await asyncio.to_thread(book.rows, _WORKBOOK_ROWS)
        if len(rows) < _WORKBOOK_ROWS:
            self.forget(files.tenant_id, found.id)
            return Portion(rows, None)
        return Portion(rows, {"row": rows[-1][0]})

    async def _workbook(self, files: ImportFileRepository, found: Import) -> "_OpenWorkbook":
        key = (files.tenant_id, found.id)
        if key not in self._open:
            if found.received_bytes > MOST_PACKED:
                raise FileNotReadable("workbook_too_large")
            folder = tempfile.TemporaryDirectory(prefix="careloop-import-")
            try:
                path = Path(folder.name) / "file.xlsx"
                for number in range(found.pieces):
                    content = b"".join(await files.pieces(found.id, number, 1))
                    await asyncio.to_thread(_append, path, content)
                sheet = found.reading["asked"].get("sheet")
                workbook = await asyncio.to_thread(Workbook, path, sheet=sheet)
            except BaseException:
                folder.cleanup()
                raise
            self._open[key] = _OpenWorkbook(workbook, folder)
        return self._open[key]


@dataclass(frozen=True, slots=True)
class _OpenWorkbook:
    workbook: Workbook
    folder: tempfile.TemporaryDirectory[str]

    def close(self) -> None:
        self.workbook.close()
        self.folder.cleanup()


def chunks_of(rows: Sequence[Numbered], *, size: int) -> list[tuple[bytes, int]]:
    """Rows as they are kept: in portions, with how many there are in each."""
    return [(packed(portion), len(portion)) for portion in portions(rows, size)]


def _append(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content)


def _head_of_text(first: bytes, reading: Mapping[str, Any], *, is_whole: bool, region: str) -> Head:
    asked = reading["asked"]
    encoding = asked.get("encoding") or detect_encoding(first, is_whole=is_whole)
    text = decoded_head(first, encoding, is_whole=is_whole)
    delimiter = asked.get("delimiter") or detect_delimiter(text)
    rows: list[Numbered] = []
    for found in records(first, row=1, encoding=encoding, delimiter=delimiter, is_last=is_whole):
        if found.cells:
            rows.append((found.row, found.cells))
        if len(rows) == _HEAD_ROWS:
            break
    _check_not_empty(rows)
    if max(text.count("\0"), text.count("\ufffd")) > len(text) // 20:
        raise FileNotReadable("not_a_table")
    header = _header(asked, rows, region=region)
    how = {"format": "csv", "encoding": encoding, "delimiter": delimiter, "header_row": header}
    return Head({"asked": asked, **how}, columns_of(rows, header, region=region))


def _header(asked: Mapping[str, Any], rows: Sequence[Numbered], *, region: str) -> int:
    wanted: int | None = asked.get("header_row")
    return header_row(rows, region=region) if wanted is None else wanted


def _check_not_empty(rows: Sequence[Numbered]) -> None:
    if not rows:
        raise FileNotReadable("no_rows")


def _portion_of_text(pieces: Sequence[bytes], found: Import, state: Mapping[str, Any]) -> Portion:
    window = b"".join(pieces)[state["offset"] :]
    reading = found.reading
    is_last = state["piece"] + len(pieces) >= found.pieces
    rows: list[Numbered] = []
    row, end = state["row"], 0
    for record in records(
        window,
        row=row + 1,
        encoding=reading["encoding"],
        delimiter=reading["delimiter"],
        is_last=is_last,
    ):
        row, end = record.row, record.end
        if record.cells:
            rows.append((row, record.cells))
    if is_last:
        return Portion(rows, None)
    if end == 0:
        # A line of some megabytes.
        raise FileNotReadable("not_a_table", row=row + 1)
    at = state["offset"] + end
    return Portion(rows, {"row": row, "piece": state["piece"] + at // PIECE, "offset": at % PIECE})
