"""Tables as text: which encoding and delimiter they are in, and their records. Pure functions.

A file is read in windows of some megabytes; a record that a window cuts off is left to the next.
So reading takes the same memory however large the file is, and can go on at any record.
"""

import csv
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import charset_normalizer

from services.customer.imports.errors import FileNotReadable
from shared.text import nfc

MOST_COLUMNS: Final = 300
MOST_CELL: Final = 20_000
_ENCODINGS: Final = ["cp1258", "cp1252", "utf_16_le", "utf_16_be", "gb18030", "shift_jis", "cp1251"]
_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_DELIMITERS: Final = (",", ";", "\t", "|")
_LOOKED_AT: Final = 60
_WIDE: Final = {"utf-16-le": b"\n\x00", "utf-16-be": b"\x00\n"}


@dataclass(frozen=True, slots=True)
class Record:
    """A row of a table; `row` is its number as a spreadsheet shows it, `end` where the next is."""

    row: int
    cells: list[str]
    end: int


class _CutOff(Exception):
    """The window ends within a record."""


def detect_encoding(head: bytes, *, is_whole: bool) -> str:
    """The encoding of a text by its beginning. Raises FileNotReadable for what is no text."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    sample = head if is_whole else head[: head.rfind(b"\n") + 1] or head
    try:
        text = sample.decode()
    except UnicodeDecodeError:
        pass
    else:
        if "\0" not in text:
            return "utf-8"
    found = charset_normalizer.from_bytes(sample[:65_536], cp_isolation=_ENCODINGS).best()
    if found is None:
        raise FileNotReadable("encoding_not_known")
    return found.encoding.replace("_", "-")


def detect_delimiter(text: str) -> str:
    """The sign that cuts most records into equally many cells, and into more than one."""
    best, delimiter = 0.0, ","
    for candidate in _DELIMITERS:
        widths = _widths(text, candidate)
        if not widths:
            continue
        usual = max(set(widths), key=lambda width: (widths.count(width), width))
        if usual > 1:
            share = widths.count(usual) / len(widths)
            score = share * 10 + min(usual, 30) / 30
            if score > best:
                best, delimiter = score, candidate
    return delimiter


def _widths(text: str, delimiter: str) -> list[int]:
    widths: list[int] = []
    try:
        for cells in csv.reader(text.splitlines(keepends=True), delimiter=delimiter):
            if any(cell.strip() for cell in cells):
                widths.append(len(cells))
            if len(widths) >= _LOOKED_AT:
                break
    except csv.Error:
        return widths
    return widths


def decoded_head(head: bytes, encoding: str, *, is_whole: bool) -> str:
    """The beginning of a file as text, up to the last whole line. Raises FileNotReadable."""
    if not is_whole:
        head = head[: _last_line_end(head, encoding)] or head
    return head.decode(encoding, errors="replace")


def _last_line_end(head: bytes, encoding: str) -> int:
    end = _WIDE.get(encoding, b"\n")
    at = head.rfind(end)
    while at >= 0 and len(end) == 2 and at % 2:
        at = head.rfind(end, 0, at)
    return at + len(end) if at >= 0 else 0


def records(
    window: bytes, *, row: int, encoding: str, delimiter: str, is_last: bool
) -> Iterator[Record]:
    """The whole records of a window that begins with row number `row`; a blank one has no cells.

    `end` is counted from the beginning of the window. Raises FileNotReadable.
    """
    lines = _Lines(window, encoding, is_last=is_last)
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        begin, line = lines.end, reader.line_num
        try:
            cells = next(reader)
        except (StopIteration, _CutOff):
            return
        except UnicodeDecodeError as error:
            raise FileNotReadable("not_in_encoding", row=row) from error
        except csv.Error as error:
            # Only a quoted cell goes on in further lines; this one has no end within reason.
            code = "unclosed_quote" if reader.line_num > line + 1 else "not_a_table"
            raise FileNotReadable(code, row=row) from error
        if lines.have_ended or (
            reader.line_num > line + 1 and not _is_closed(lines.text(begin), delimiter)
        ):
            raise FileNotReadable("unclosed_quote", row=row)
        check_width(cells, row)
        kept = [plain(cell) for cell in cells]
        yield Record(row, kept if any(kept) else [], lines.end)
        row += 1


def _is_closed(text: str, delimiter: str) -> bool:
    """Whether each quoted cell of a record ends with its quote.

    Where one is not closed, the next quote ends it, in the midst of what follows: rows would be
    lost in a cell. In a record of one line nothing can be lost so, and much is put up with.
    """
    text = re.sub(f'" +(?=[{re.escape(delimiter)}\r\n])', '"', text)
    try:
        next(csv.reader([text], delimiter=delimiter, strict=True), None)
    except csv.Error:
        return False
    return True


def check_width(cells: Sequence[str], row: int) -> None:
    """Raises FileNotReadable for what no table of people has."""
    if len(cells) > MOST_COLUMNS:
        raise FileNotReadable("too_many_columns", row=row)
    if max(map(len, cells), default=0) > MOST_CELL:
        raise FileNotReadable("cell_too_long", row=row)


def plain(cell: str) -> str:
    """A cell as it is kept: composed, trimmed, of what can be stored."""
    text = cell.strip()
    if text.isascii() and text.isprintable():
        return text
    text = nfc(text)
    if text.isprintable():
        return text
    # Signs that have no shape would make two spellings of one value.
    kept = (char for char in text if char in "\n\t" or unicodedata.category(char)[0] != "C")
    return "".join(kept).replace("\u00a0", " ").strip()


class _Lines:
    """The lines of a window, decoded; `end` is where the next one begins.

    Whoever asks for a line after the last one, and has still a record, was within a quoted cell:
    `have_ended` is true then.
    """

    def __init__(self, window: bytes, encoding: str, *, is_last: bool) -> None:
        self.end = 0
        self.have_ended = False
        self._window = window
        self._encoding = encoding.removesuffix("-sig")
        self._is_last = is_last
        self._line_end = self._line_end_of_window()

    def __iter__(self) -> Iterator[str]:
        window, size = self._window, len(self._line_end)
        while self.end < len(window):
            at = self._find()
            if at < 0 and not self._is_last:
                raise _CutOff
            begin, self.end = self.end, len(window) if at < 0 else at + size
            yield self.text(begin)
        if not self._is_last:
            raise _CutOff
        self.have_ended = True

    def text(self, begin: int) -> str:
        """What has been read from a place on."""
        text = self._window[begin : self.end].decode(self._encoding)
        return text.removeprefix("\ufeff") if begin == 0 else text

    def _line_end_of_window(self) -> bytes:
        wide = _WIDE.get(self._encoding)
        if wide is not None:
            return wide
        # Files of the oldest Macs end their lines with a carriage return alone.
        return b"\n" if b"\n" in self._window or not self._is_last else b"\r"

    def _find(self) -> int:
        at = self._window.find(self._line_end, self.end)
        while at >= 0 and len(self._line_end) == 2 and at % 2:
            at = self._window.find(self._line_end, at + 1)
        return at
