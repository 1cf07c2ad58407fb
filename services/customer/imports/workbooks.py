"""Tables in workbooks (XLSX), row by row.

A workbook is an archive: how large it is when it is unpacked is looked at before anything is. Its
texts are in one list that has to be in memory; what has too many of them is better saved as CSV.
What a small file can still swell to (a row of a million cells, a row with the number of a billion)
is refused while it is read: the parser keeps in memory what it has met since the row before.
"""

import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import IO, Any, Final

from openpyxl.reader.excel import ExcelReader

from services.customer.imports.delimited import check_width, plain
from services.customer.imports.errors import FileNotReadable

BEGINNING: Final = b"PK\x03\x04"
MOST_PACKED: Final = 64 * 2**20
MOST_UNPACKED: Final = 1024 * 2**20
MOST_TEXTS: Final = 48 * 2**20
MOST_BETWEEN_ROWS: Final = 8 * 2**20
"""What may stand between two rows of a sheet: a row of what people write is some kilobytes."""

_MOST_SHEET_ROWS: Final = 1_048_576
_MOST_WHOLE: Final = 8 * 2**20
_MOST_PARTS: Final = 5000
_MOST_RATIO: Final = 200
_TEXTS: Final = "xl/sharedStrings.xml"
_SHEETS: Final = "xl/worksheets/"
_EMPTY_SHEET: Final = b"<worksheet/>"


class _Paced(io.BufferedIOBase):
    """A part as it is read, no further than `at_most` without a row."""

    def __init__(self, part: IO[bytes], *, at_most: int) -> None:
        self._part = part
        self._at_most = at_most
        self._read = 0

    def read(self, size: int | None = -1) -> bytes:
        """Raises FileNotReadable."""
        content = self._part.read(-1 if size is None else size)
        self._read += len(content)
        if self._read > self._at_most:
            raise FileNotReadable("workbook_too_large")
        return content

    def row_ended(self) -> None:
        """What was read until now is in memory no more."""
        self._read = 0

    def close(self) -> None:
        """Let go of the part."""
        self._part.close()
        super().close()


class _Archive(zipfile.ZipFile):
    """The parts of a workbook, none of which comes into memory as a whole if it is large."""

    is_loading = True
    """Until it is known which sheets there are. Their sizes are not asked for meanwhile: to look
    for that the library reads a sheet that tells none to its end."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.sheet = _Paced(io.BytesIO(), at_most=0)

    def open(self, name: Any, *further: Any, **named: Any) -> Any:
        """A part, to be read bit by bit."""
        path = name if isinstance(name, str) else name.filename
        is_sheet = path.startswith(_SHEETS)
        if is_sheet and self.is_loading:
            return io.BytesIO(_EMPTY_SHEET)
        part = super().open(name, *further, **named)
        self.sheet = _Paced(part, at_most=MOST_BETWEEN_ROWS if is_sheet else MOST_TEXTS)
        return self.sheet

    def read(self, name: Any, pwd: bytes | None = None) -> bytes:
        """A part that is read as a whole. Raises FileNotReadable."""
        if self.getinfo(name).file_size > _MOST_WHOLE:
            raise FileNotReadable("workbook_too_large")
        return super().read(name, pwd)


class Workbook:
    """One sheet of a workbook, read from its first row on. To be closed."""

    def __init__(self, path: Path, *, sheet: str | None) -> None:
        check_archive(path)
        try:
            reader = ExcelReader(path, read_only=True, data_only=True, keep_links=False)
            reader.archive.close()
            reader.archive = self._archive = _Archive(path)
            reader.read()
            self._archive.is_loading = False
            self._book = reader.wb
        except FileNotReadable:
            raise
        except Exception as error:
            # The library lets through whatever its parsers of XML and ZIP raise.
            raise FileNotReadable("not_a_workbook") from error
        self.sheets: list[str] = [found.title for found in self._book.worksheets]
        if not self.sheets:
            self.close()
            raise FileNotReadable("no_sheet")
        if sheet is not None and sheet not in self.sheets:
            self.close()
            raise FileNotReadable("no_such_sheet")
        self.sheet = sheet or self.sheets[0]
        self.row = 0
        self._rows = self._read()

    def rows(self, count: int) -> list[tuple[int, list[str]]]:
        """The next rows that are not blank, with their numbers; fewer than `count` at the end.

        Raises FileNotReadable.
        """
        found: list[tuple[int, list[str]]] = []
        for row, cells in self._rows:
            found.append((row, cells))
            if len(found) == count:
                break
        return found

    def skip(self, row: int, *, at_most: int) -> bool:
        """Go on until that row has been read, over so many rows at most; whether it has."""
        for _ in range(at_most):
            if self.row >= row or next(self._rows, None) is None:
                return True
        return self.row >= row

    def close(self) -> None:
        """Let go of the file."""
        self._book.close()

    def _read(self) -> Iterator[tuple[int, list[str]]]:
        sheet: Any = self._book[self.sheet]
        # What a file says of its own size need not be true.
        sheet.reset_dimensions()
        try:
            for values in sheet.iter_rows(values_only=True):
                self._archive.sheet.row_ended()
                self.row += 1
                if self.row > _MOST_SHEET_ROWS:
                    raise FileNotReadable("too_many_rows", row=self.row)
                cells = [_text(value) for value in values]
                if any(cells):
                    check_width(cells, self.row)
                    yield self.row, cells
        except FileNotReadable:
            raise
        except Exception as error:
            raise FileNotReadable("not_a_workbook", row=self.row + 1) from error


def check_archive(path: Path) -> None:
    """Raises FileNotReadable for what is no archive, or would unpack to far more than it is."""
    if path.stat().st_size > MOST_PACKED:
        raise FileNotReadable("workbook_too_large")
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise FileNotReadable("not_a_workbook") from error
    packed = sum(part.compress_size for part in parts)
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > _MOST_PARTS or unpacked > MOST_UNPACKED:
        raise FileNotReadable("workbook_too_large")
    if unpacked > 2**20 and unpacked > _MOST_RATIO * packed:
        raise FileNotReadable("workbook_too_large")
    if any(part.filename == _TEXTS and part.file_size > MOST_TEXTS for part in parts):
        raise FileNotReadable("workbook_has_too_many_texts")


def _text(value: Any) -> str:
    """A value as somebody would have typed it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, datetime):
        at_midnight = value.time() == time()
        return value.date().isoformat() if at_midnight else value.isoformat(" ", "seconds")
    return plain(value.isoformat() if isinstance(value, date) else str(value))
