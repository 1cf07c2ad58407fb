"""A spreadsheet (Office Open XML) written a stretch of rows at a time. Pure functions.

A job writes its file in steps, each of which may be done by another worker after a crash. What
libraries write begins and ends in one go; here what the next step needs to know is a few numbers.
A sheet is one member of a ZIP archive, and DEFLATE (RFC 1951) lets a stream be taken up again at
each full flush. Texts are inline strings, which are never formulas.
"""

import re
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from typing import Any, Final, Self
from xml.sax.saxutils import escape

MOST_ROWS: Final = 1_048_576
"""What spreadsheet programs take, the head included."""

Cell = str | int | float | Decimal | bool | None

_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_SHEET: Final = "xl/worksheets/sheet1.xml"
_FILES: Final = {
    "[Content_Types].xml": f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/{_SHEET}" ContentType="{_TYPE}.worksheet+xml"/></Types>',
    "_rels/.rels": f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/>'
    "</Relationships>",
    "xl/workbook.xml": f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>'
    '<sheet name="customers" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>'
    "</Relationships>",
}
# XML 1.0 has no characters for these, escaped or not.
_NO_CHARACTER: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_LONGEST_CELL: Final = 32_767
_SIZES_FOLLOW, _UTF8, _DEFLATED = 0x08, 0x800, 8
_VERSION, _FIRST_OF_1980 = 20, 0x21


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the archive, as its directory names it."""

    name: str
    offset: int
    crc: int = 0
    packed: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class Workbook:
    """A spreadsheet as far as it is written."""

    members: tuple[Member, ...] = ()
    written: int = 0
    rows: int = 0
    content: bytes = field(default=b"", compare=False)
    """What was written since it was taken up."""

    @classmethod
    def begun(cls) -> Self:
        """An empty one."""
        book = cls()
        for name, text in _FILES.items():
            book = book._member(name)._packed(text.encode(), last=True)._ended()
        head = f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>'
        return book._member(_SHEET)._packed(head.encode())

    @classmethod
    def taken_up(cls, state: dict[str, Any]) -> Self:
        """One that was left off, by its `state`."""
        members = tuple(Member(**member) for member in state["members"])
        return cls(members, state["written"], state["rows"])

    @property
    def state(self) -> dict[str, Any]:
        """What it takes to go on, as JSON."""
        members = [asdict(member) for member in self.members]
        return {"members": members, "written": self.written, "rows": self.rows}

    def with_rows(self, rows: Sequence[Sequence[Cell]]) -> Self:
        """The same with more rows."""
        text = "".join(_row(row) for row in rows)
        return replace(self, rows=self.rows + len(rows))._packed(text.encode())

    def ended(self) -> Self:
        """The whole file."""
        book = self._packed(b"</sheetData></worksheet>", last=True)._ended()
        directory = b"".join(_directory_entry(member) for member in book.members)
        count = len(book.members)
        end = struct.pack(
            "<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), book.written, 0
        )
        return book._written(directory + end)

    def _member(self, name: str) -> Self:
        head = struct.pack(
            "<4s5H3L2H",
            b"PK\3\4",
            *(_VERSION, _SIZES_FOLLOW | _UTF8, _DEFLATED, 0, _FIRST_OF_1980),
            *(0, 0, 0, len(name), 0),
        )
        member = Member(name, self.written)
        return replace(self, members=(*self.members, member))._written(head + name.encode())

    def _packed(self, content: bytes, *, last: bool = False) -> Self:
        packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        packed = packer.compress(content)
        packed += packer.flush(zlib.Z_FINISH if last else zlib.Z_FULL_FLUSH)
        *others, member = self.members
        member = replace(
            member,
            crc=zlib.crc32(content, member.crc),
            packed=member.packed + len(packed),
            size=member.size + len(content),
        )
        return replace(self, members=(*others, member))._written(packed)

    def _ended(self) -> Self:
        member = self.members[-1]
        return self._written(
            struct.pack("<4s3L", b"PK\7\x08", member.crc, member.packed, member.size)
        )

    def _written(self, content: bytes) -> Self:
        return replace(self, written=self.written + len(content), content=self.content + content)


def _directory_entry(member: Member) -> bytes:
    entry = struct.pack(
        "<4s6H3L5H2L",
        b"PK\1\2",
        *(_VERSION, _VERSION, _SIZES_FOLLOW | _UTF8, _DEFLATED, 0, _FIRST_OF_1980),
        *(member.crc, member.packed, member.size),
        *(len(member.name), 0, 0, 0, 0),
        *(0, member.offset),
    )
    return entry + member.name.encode()


def _row(cells: Iterable[Cell]) -> str:
    return f"<row>{''.join(map(_cell, cells))}</row>"


def _cell(value: Cell) -> str:
    if value is None or value == "":
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float | Decimal):
        return f"<c><v>{value}</v></c>"
    text = escape(_NO_CHARACTER.sub("", value)[:_LONGEST_CELL])
    return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
