"""Files that are no tables, lie about themselves, or mean harm."""

import hashlib
import io
import re
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.customer.imports.delimited import detect_delimiter, detect_encoding, records
from services.customer.imports.errors import FileNotReadable
from services.customer.imports.layout import columns_of, header_row
from services.customer.imports.reading import PIECE
from services.customer.imports.workbooks import Workbook
from tests.customer.imports.shop import Importing, counts, table


def archive(**parts: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as written:
        for name, part in parts.items():
            written.writestr(name, part)
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\n\n , ,\n", "no_rows"),
        ("Tên,SĐT\n".encode(), "no_rows"),
        (b"PK\x03\x04 is no archive", "not_a_workbook"),
        (archive(x=b"nothing of a workbook"), "not_a_workbook"),
        (archive(bomb=b"0" * 64 * 2**20), "workbook_too_large"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "old_or_protected_workbook"),
        (b'name\n"' + b"never closed " * 40_000, "not_a_table"),
        (("name\n" + "x" * 30_000).encode(), "cell_too_long"),
        (",".join(map(str, range(400))).encode(), "too_many_columns"),
        (bytes(range(256)) * 40, "not_a_table"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_what_cannot_be_read_is_told(importing: Importing, content: bytes, code: str) -> None:
    read = await importing.read(content)
    assert read["status"] == "failed"
    assert read["error"]["code"] in {code, "encoding_not_known", "not_in_encoding"}
    assert read["error"]["code"] == code or content[:3] == b"\0\1\2"
    assert read["allowed_transitions"] == ["upload", "discard"]
    job = (await importing.client.get(f"/v1/jobs/{read['job_id']}")).json()
    assert job["status"] == "failed"
    # A better file can take its place.
    answer = await importing.client.put(
        f"/v1/imports/{read['id']}/file", content=table(("Tên",), ("Đức",))
    )
    assert answer.status_code == 200, answer.text
    await importing.work()
    done = await importing.run(await importing.get(read))
    assert counts(done["run"]) == (1, 0, 0, 0, 0)


async def test_an_empty_file_is_refused(importing: Importing) -> None:
    answer = await importing.client.post("/v1/imports", json={"file_name": "khach.csv"})
    answer = await importing.client.put(f"{answer.headers['location']}/file", content=b"")
    assert (answer.status_code, answer.json()["code"]) == (422, "import_file_empty")


async def test_a_wrong_encoding_is_told_with_its_row_and_can_be_corrected(
    importing: Importing,
) -> None:
    rows = "".join(f"Khach {n}{'x' * 150},09123456{n % 90 + 10}\n" for n in range(8000))
    content = b"name,phone\n" + rows.encode() + "Đan,0912345678\n".encode("cp1258")
    assert len(content) > PIECE
    read = await importing.read(content)
    assert read["error"] == {"code": "not_in_encoding", "row": 8002}
    answer = await importing.client.post(
        "/v1/imports", json={"file_name": "x.csv", "reading": {"encoding": "cp1258"}}
    )
    answer = await importing.client.put(f"{answer.headers['location']}/file", content=content)
    await importing.work()
    assert (await importing.get(answer.json()))["rows"] == 8001


@pytest.mark.parametrize(
    "further",
    [
        "An Ba,0912345603\nAn Bốn,0912345604\n",
        'An Ba,0912345603\n"An, Bốn",0912345604\n',
        'An Ba,0912345603\nAn Bốn,"0912345604"',
        'An Ba,"",0912345603\n' * 3,
        "An Ba,0912345603\n" * 12_000,
        "",
    ],
    ids=["to the end", "to a name", "to a number", "past nothing", "beyond reason", "the last"],
)
async def test_a_quote_that_is_not_closed_takes_no_rows_with_it(
    importing: Importing, further: str
) -> None:
    content = f'Họ tên,SĐT\nAn Một,0912345601\n"An Hai,0912345602\n{further}'
    read = await importing.read(content.encode())
    assert read["status"] == "failed"
    assert read["error"] == {"code": "unclosed_quote", "row": 3}


async def test_a_quote_that_is_not_closed_is_found_behind_the_first_window(
    importing: Importing,
) -> None:
    rows = [f"Khách {n} {'x' * 1000},0{900000000 + n}" for n in range(5000)]
    rows[4500] = f'"{rows[4500]}'
    content = "\n".join(["name,phone", *rows]).encode()
    assert len(content) > 4 * PIECE
    read = await importing.read(content)
    assert read["error"] == {"code": "unclosed_quote", "row": 4502}


async def test_quotes_that_hide_nothing_are_put_up_with(importing: Importing) -> None:
    content = (
        "name,city,occupation\n"
        '"Lan\nVăn",Huế,"thợ ""may"" \r\n áo" \n'
        'Màn 5" Bi,Vinh,"thợ" điện\n'
        '"Na","","kết\n\nthúc"'
    )
    await importing.take_in(content.encode())
    told = [(one["name"], one["city"], one["occupation"]) for one in await importing.customers()]
    assert told == [
        ("Lan Văn", "Huế", 'thợ "may" áo'),
        ('Màn 5" Bi', "Vinh", "thợ điện"),
        ("Na", None, "kết thúc"),
    ]


async def test_a_row_with_more_cells_than_columns_is_not_cut(importing: Importing) -> None:
    done = await importing.take_in(b"name,phone\nLan,0912345678,and,more\nMai,0912345679,,\n")
    assert counts(done["run"]) == (1, 0, 0, 0, 1)
    assert done["run"]["problems"][0]["code"] == "more_cells_than_columns"


async def test_no_cell_of_the_outcome_is_a_formula(importing: Importing) -> None:
    content = table(("Tên", "=cmd()|phone"), ("Đức", "x"))
    read = await importing.read(content)
    mapping = [
        {"column": "Tên", "target": "name"},
        {"column": "=cmd()|phone", "target": "phone"},
    ]
    done = await importing.run(await importing.change(read, mapping=mapping))
    [line] = await importing.outcomes(done)
    assert line["problems"].startswith("'=cmd()")


def workbook(rewrite: Callable[[str, bytes], bytes]) -> bytes:
    """A workbook with one customer, whose parts somebody has rewritten."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(["Tên"])
    sheet.append(["Đức"])
    content = io.BytesIO()
    book.save(content)
    rewritten = io.BytesIO()
    with (
        zipfile.ZipFile(content) as old,
        zipfile.ZipFile(rewritten, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, rewrite(name, old.read(name)))
    return rewritten.getvalue()


def with_rows(more: bytes) -> bytes:
    """A workbook with this behind its last row."""
    return workbook(lambda _, part: part.replace(b"</sheetData>", more + b"</sheetData>"))


async def test_a_workbook_that_promises_rows_it_has_not(importing: Importing) -> None:
    promise = b'<dimension ref="A1:XFD1048576"/><sheetData>'
    content = workbook(lambda _, part: part.replace(b"<sheetData>", promise))
    done = await importing.take_in(content)
    assert counts(done["run"]) == (1, 0, 0, 0, 0)


def swollen() -> bytes:
    """Some megabytes of cells that pack well, but not so well that the archive alone tells."""
    signs = (hashlib.sha256(bytes([n % 251, n // 251])).hexdigest() * 4 for n in range(40_000))
    return b"".join(f'<c r="A3" s="{sign}"/>'.encode() for sign in signs)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (with_rows(b'<row r="99999999999"><c r="A1"><v>1</v></c></row>'), "too_many_rows"),
        (with_rows(b"<row>%b</row>" % swollen()), "workbook_too_large"),
        (with_rows(swollen()), "workbook_too_large"),
        (
            workbook(
                lambda name, part: (
                    part.replace(b"</styleSheet>", swollen() + b"</styleSheet>")
                    if name == "xl/styles.xml"
                    else part
                )
            ),
            "workbook_too_large",
        ),
        (
            workbook(
                lambda name, part: (
                    b'<!DOCTYPE w [<!ENTITY a "aaaaaaaaaa">]>' + part
                    if name == "xl/workbook.xml"
                    else part
                )
            ),
            "not_a_workbook",
        ),
    ],
    ids=["a gap", "a row", "no row", "styles", "entities"],
)
def test_a_workbook_takes_no_memory_or_time_without_end(
    tmp_path: Path, content: bytes, code: str
) -> None:
    path = tmp_path / "file.xlsx"
    path.write_bytes(content)
    with pytest.raises(FileNotReadable) as refused:
        Workbook(path, sheet=None).rows(4000)
    assert refused.value.code == code


def test_what_keeps_entities_out_is_there_in_production() -> None:
    requirements = Path("requirements.txt").read_text(encoding="utf-8")
    assert re.search(r"^defusedxml==", requirements, re.MULTILINE)


@given(st.binary(max_size=2000))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_the_bytes_are_reading_ends_well_or_says_why(content: bytes) -> None:
    try:
        encoding = detect_encoding(content, is_whole=True)
        delimiter = detect_delimiter(content.decode(encoding, errors="replace"))
        found = list(records(content, row=1, encoding=encoding, delimiter=delimiter, is_last=True))
    except FileNotReadable:
        return
    head = [(record.row, record.cells) for record in found if record.cells]
    if head:
        columns = columns_of(head, header_row(head, region="VN"), region="VN")
        assert len({column.name for column in columns}) == len(columns)


@given(
    st.lists(st.lists(st.text(max_size=12), min_size=2, max_size=4), min_size=1, max_size=30),
    st.integers(min_value=1, max_value=80),
)
@settings(max_examples=150, deadline=None)
def test_a_file_read_in_windows_says_what_it_says_in_one(rows: list[list[str]], size: int) -> None:
    rows = [[cell.replace("\0", "").replace("\r", "") for cell in row] for row in rows]
    content = table(*rows)
    how = {"encoding": "utf-8", "delimiter": ","}
    whole = [(record.row, record.cells) for record in records(content, row=1, is_last=True, **how)]
    pieces, at, row = [], 0, 0
    width = size
    while at < len(content):
        window = content[at : at + width]
        is_last = at + width >= len(content)
        end = 0
        for record in records(window, row=row + 1, is_last=is_last, **how):
            pieces.append((record.row, record.cells))
            row, end = record.row, record.end
        at, width = (len(content), width) if is_last else (at + end, width if end else width * 2)
    assert pieces == whole


async def test_a_large_file_takes_no_more_memory_than_a_small_one(importing: Importing) -> None:
    note = "Giao buổi sáng, gọi trước khi đến. " * 25
    rows = [(f"Nguyễn Văn Đức {n}", f"09{n:08}", note) for n in range(12_000)]
    content = table(("name", "phone", "note"), *rows)
    del rows
    assert len(content) > 12 * PIECE
    sent = await importing.send(content)
    del content
    tracemalloc.start()
    await importing.work()
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (await importing.get(sent))["rows"] == 12_000
    # A window of four pieces, its text and its rows; a fifth of the whole as rows in memory.
    assert peak < 60 * 2**20
