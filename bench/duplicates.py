"""`python -m bench.duplicates`: how long a scan for duplicates takes, and how good it is.

Customers are made up with names as common as they are in Vietnam, families that share a number and
an address, forms that fill in 1 January; some of the people are written twice, in the ways in which
people are. Which they are is known, so what the scan finds can be counted.
"""

import argparse
import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson
from rich.console import Console
from rich.table import Table

from bench.bars import Bar
from bench.stage import Stage, open_stage
from cli.interpreter import settle_down
from services.customer.customers.record import COLUMNS, new_record
from services.customer.duplicate_scans.repository import ScanRepository
from services.customer.duplicate_scans.schemas import DuplicateScanCreate
from services.customer.duplicate_scans.service import ScanService
from services.customer.jobs import build_job_kinds
from services.customer.settings import CustomerSettings
from shared.ids import TenantId, new_id
from shared.jobs.repository import JobRepository
from shared.jobs.runner import JobRunner
from shared.part.context import build_context
from shared.text import search_key

_console = Console(highlight=False)
SECONDS: Final = 60.0
_CHUNK: Final = 5000
# Of every hundred Vietnamese, roughly.
_FAMILY: Final = {
    "Nguyễn": 38, "Trần": 11, "Lê": 9, "Phạm": 7, "Hoàng": 3, "Huỳnh": 3, "Phan": 4, "Vũ": 2,
    "Võ": 2, "Đặng": 2, "Bùi": 2, "Đỗ": 1, "Hồ": 1, "Ngô": 1, "Dương": 1, "Lý": 1,
}  # fmt: skip
_MALE: Final = ("Văn", "Hữu", "Đức", "Minh", "Quốc", "Công", "Thành", "Xuân", "Đình", "Gia")
_FEMALE: Final = ("Thị", "Thị Ngọc", "Thị Thu", "Thị Kim", "Ngọc", "Thanh", "Bích", "Thuỳ", "Mỹ")
_MALE_GIVEN: Final = (
    "An", "Anh", "Bình", "Cường", "Dũng", "Duy", "Đạt", "Đức", "Giang", "Hải", "Hiếu", "Hùng",
    "Huy", "Khánh", "Khoa", "Kiên", "Long", "Minh", "Nam", "Nghĩa", "Phong", "Phúc", "Quân",
    "Quang", "Sơn", "Tài", "Thắng", "Thịnh", "Tiến", "Toàn", "Trung", "Tuấn", "Tùng", "Việt",
)  # fmt: skip
_FEMALE_GIVEN: Final = (
    "Ánh", "Châu", "Chi", "Diệp", "Dung", "Giang", "Hà", "Hạnh", "Hằng", "Hiền", "Hoa", "Hồng",
    "Huệ", "Hương", "Lan", "Linh", "Loan", "Ly", "Mai", "My", "Nga", "Ngân", "Nhung", "Oanh",
    "Phương", "Quyên", "Thảo", "Thuý", "Thư", "Trang", "Trinh", "Tuyết", "Uyên", "Vân", "Yến",
)  # fmt: skip
_STREETS: Final = (
    "Lê Lợi", "Nguyễn Huệ", "Trần Hưng Đạo", "Hai Bà Trưng", "Lý Thường Kiệt", "Điện Biên Phủ",
    "Cách Mạng Tháng Tám", "Võ Văn Tần", "Nguyễn Trãi", "Phan Chu Trinh", "Quang Trung",
)  # fmt: skip
_WARDS: Final = 3321


@dataclass(frozen=True, slots=True)
class Made:
    """A customer who was made up; those with the same `person` are one."""

    person: int
    name: str
    gender: str | None
    birth_date: date | None = None
    phone: str | None = None
    email: str | None = None
    ward: str | None = None
    street: str | None = None
    how: str = ""
    id: UUID = field(default_factory=new_id)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--show", type=int, default=0, help="so many pairs that are wrong")
    asked = parser.parse_args()
    measure(asked.customers, show=asked.show)


def measure(count: int = 100_000, *, show: int = 0) -> list[Bar]:
    """The chapter of `python -m bench`; the last one, for it makes the stage this process's own."""
    with open_stage() as stage:
        stage.installation.apply()
        return asyncio.run(_measure(stage, count, show))


async def _measure(stage: Stage, count: int, show: int) -> list[Bar]:
    context, tenant = build_context(CustomerSettings()), TenantId(new_id())
    made = make_up(count)
    await _load(stage.dsn, tenant, made)
    kinds = build_job_kinds(context)
    runner = JobRunner(units=context.units, kinds=kinds, wake=_nobody)
    # As a worker does, which does not hold the people made up either.
    settle_down()
    bars: list[Bar] = []
    for mode in ("full", "changed"):
        async with context.units.begin(tenant) as uow:
            jobs = JobRepository(uow, schema="customer")
            scans = ScanService(uow, scans=ScanRepository(uow), jobs=jobs, kinds=kinds)
            job = await scans.start(DuplicateScanCreate.model_validate({"mode": mode}))
            await uow.commit()
        began, longest = time.perf_counter(), 0.0
        while True:
            step_began = time.perf_counter()
            if not await runner.step(tenant):
                break
            longest = max(longest, time.perf_counter() - step_began)
        seconds = time.perf_counter() - began
        bars.append(Bar(f"scan for duplicates of {count:,}, {mode}", seconds, SECONDS, "s"))
        async with context.units.begin(tenant) as uow:
            scan = await ScanRepository(uow).get(job.id)
        _console.print(
            f"{mode}: {scan.status}, {scan.customers:,} customers, {scan.comparisons:,} "
            f"comparisons, {scan.pairs:,} pairs ({scan.new_pairs:,} new) in {seconds:.1f} s, "
            f"the longest step {longest:.2f} s; skipped {scan.skipped}"
        )
    await _judge(stage.dsn, tenant, made, show)
    await context.close()
    return bars


async def _nobody(_tenant: TenantId) -> None:
    """A wake-up that reaches nobody."""


def make_up(count: int, *, seed: int = 7) -> list[Made]:
    """People, a twelfth of them written twice; the same for the same seed."""
    chance = random.Random(seed)
    people: list[Made] = []
    while len(people) < count * 12 // 13:
        people += _family(chance, len(people))
    made = people[: count * 12 // 13]
    ways = list(_WAYS)
    while len(made) < count:
        original = chance.choice(people[: count * 12 // 13])
        way = chance.choice(ways)
        again = _WAYS[way](original, chance)
        if again is not None:
            made.append(replace(again, how=way, id=new_id()))
    chance.shuffle(made)
    return made


def _family(chance: random.Random, first: int) -> list[Made]:
    """One person, or several who share a number and an address."""
    size = chance.choices((1, 2, 3), (85, 10, 5))[0]
    family_name = chance.choices(list(_FAMILY), list(_FAMILY.values()))[0]
    phone = f"+84{chance.choice('3579')}{chance.randrange(10**8):08d}"
    ward = f"{chance.randrange(_WARDS):05d}" if chance.random() < 0.5 else None
    number, street = chance.randrange(1, 400), chance.choice(_STREETS)
    members: list[Made] = []
    called: set[str] = set()
    while len(members) < size:
        is_male = chance.random() < 0.5
        given = chance.choice(_MALE_GIVEN if is_male else _FEMALE_GIVEN)
        if given in called:
            continue
        called.add(given)
        middle = chance.choice(_MALE if is_male else _FEMALE)
        email = _email(chance, family_name, middle, given) if chance.random() < 0.4 else None
        members.append(
            Made(
                person=first + len(members),
                name=f"{family_name} {middle} {given}",
                gender=("male" if is_male else "female") if chance.random() < 0.6 else None,
                birth_date=_birthday(chance) if chance.random() < 0.6 else None,
                phone=phone if size > 1 or chance.random() < 0.85 else None,
                email=email,
                ward=ward,
                street=f"{number} {street}" if ward else None,
            )
        )
    return members


def _birthday(chance: random.Random) -> date:
    year = chance.randrange(1955, 2008)
    if chance.random() < 0.04:
        return date(year, 1, 1)
    return date(year, 1, 1) + timedelta(days=chance.randrange(365))


def _email(chance: random.Random, family: str, middle: str, given: str) -> str:
    plain = [search_key(word).replace(" ", "") for word in (family, middle, given)]
    box = f"{plain[2]}.{plain[0]}{plain[1]}{chance.randrange(10**4)}"
    return f"{box}@{chance.choice(('gmail.com', 'yahoo.com.vn', 'icloud.com'))}"


def _plain(made: Made, _chance: random.Random) -> Made | None:
    """Typed without accents, the phone known."""
    if made.phone is None:
        return None
    return replace(made, name=search_key(made.name), birth_date=None, email=None)


def _by_birthday(made: Made, chance: random.Random) -> Made | None:
    """Another number, the same birthday, a letter mistyped."""
    if made.birth_date is None or (made.birth_date.month, made.birth_date.day) == (1, 1):
        return None
    letters = list(made.name)
    at = chance.randrange(2, len(letters) - 2)
    letters[at], letters[at + 1] = letters[at + 1], letters[at]
    name = "".join(letters) if " " not in letters[at : at + 2] else made.name
    return replace(made, name=name, phone=None, email=None, ward=None, street=None)


def _western(made: Made, _chance: random.Random) -> Made | None:
    """The given name first, the day and the month exchanged."""
    day = made.birth_date
    if day is None or day.day > 12 or day.day == day.month or (day.month, day.day) == (1, 1):
        return None
    *before, given = made.name.split()
    swapped = date(day.year, day.day, day.month)
    name = " ".join([given, *before])
    return replace(made, name=name, birth_date=swapped, phone=None, ward=None, street=None)


def _called(made: Made, _chance: random.Random) -> Made | None:
    """By what the shop calls them, with their number."""
    if made.phone is None:
        return None
    word = {"male": "Anh", "female": "Chị"}.get(made.gender or "", "Em")
    name = f"{word} {made.name.split()[-1]}"
    return replace(made, name=name, email=None, birth_date=None, ward=None, street=None)


def _moved_box(made: Made, _chance: random.Random) -> Made | None:
    """Another provider's address, the same name before the @."""
    if made.email is None:
        return None
    box = made.email.partition("@")[0].replace(".", "")
    return replace(made, email=f"{box}@outlook.com", phone=None, birth_date=None, ward=None)


def _mistyped_number(made: Made, chance: random.Random) -> Made | None:
    """Two digits of the number exchanged."""
    if made.phone is None:
        return None
    at = chance.randrange(5, len(made.phone) - 1)
    digits = list(made.phone)
    digits[at], digits[at + 1] = digits[at + 1], digits[at]
    phone = "".join(digits)
    return None if phone == made.phone else replace(made, phone=phone, email=None)


def _shortened(made: Made, _chance: random.Random) -> Made | None:
    """Written as "Ng. Thị Lan", at the same address and with the same birthday."""
    family, *rest = made.name.split()
    if made.ward is None or made.birth_date is None:
        return None
    street = f"Số {made.street}".replace(" Lê", " đường Lê")
    name = " ".join([f"{family[:2]}.", *rest])
    return replace(made, name=name, street=street, phone=None, email=None)


_WAYS: Final[Mapping[str, Callable[[Made, random.Random], Made | None]]] = {
    "without accents, same number": _plain,
    "mistyped, same birthday": _by_birthday,
    "given name first, day and month exchanged": _western,
    "called by, same number": _called,
    "same mailbox elsewhere": _moved_box,
    "number mistyped": _mistyped_number,
    "shortened, same address": _shortened,
}


async def _load(dsn: str, tenant: UUID, made: Sequence[Made]) -> None:
    connection = await asyncpg.connect(dsn)
    now = datetime.now(UTC)
    try:
        for at in range(0, len(made), _CHUNK):
            part = made[at : at + _CHUNK]
            await connection.copy_records_to_table(
                "customer",
                schema_name="customer",
                columns=("tenant_id", *COLUMNS),
                records=[_row(tenant, one, at + n, now) for n, one in enumerate(part, 1)],
            )
            await connection.copy_records_to_table(
                "customer_identity",
                schema_name="customer",
                columns=_IDENTITY,
                records=[row for one in part for row in _identities(tenant, one, now)],
            )
        for table in ("customer", "customer_identity"):
            await connection.execute(f"ANALYZE customer.{table}")
    finally:
        await connection.close()


_IDENTITY: Final = (
    *("tenant_id", "customer_id", "kind", "scope", "value", "id", "original", "standing"),
    *("source", "created_at"),
)


def _identities(tenant: UUID, one: Made, now: datetime) -> list[tuple[Any, ...]]:
    return [
        (tenant, one.id, kind, "", value, new_id(), value, "claimed", "bench", now)
        for kind, value in (("email", one.email), ("phone", one.phone))
        if value is not None
    ]


def _row(tenant: UUID, one: Made, number: int, now: datetime) -> tuple[Any, ...]:
    address = {"street": one.street, "vn34_ward_code": one.ward}
    known = {
        "name": one.name,
        "gender": one.gender,
        "birth_date": one.birth_date,
        "phone": one.phone,
        "email": one.email,
        "source": "bench",
        "profile": {"address": address} if one.ward else {},
    }
    record = new_record(known, customer_id=one.id, number=number, currency="VND", at=now)
    columns = record.as_row()
    for name in ("tags", "attributes", "profile", "consents"):
        columns[name] = orjson.dumps(columns[name]).decode()
    return (tenant, *columns.values())


async def _judge(dsn: str, tenant: UUID, made: Sequence[Made], show: int) -> None:
    connection = await asyncpg.connect(dsn)
    found = await connection.fetch(
        "SELECT older_id, newer_id, score, reasons FROM customer.duplicate_candidate "
        "WHERE tenant_id = $1",
        tenant,
    )
    await connection.close()
    by_id = {one.id: one for one in made}
    right: list[Any] = []
    wrong: list[Any] = []
    reached: set[UUID] = set()
    for row in found:
        one, other = by_id[row["older_id"]], by_id[row["newer_id"]]
        (right if one.person == other.person else wrong).append(row)
        if one.person == other.person:
            reached |= {one.id, other.id}
    originals = {one.person: one.id for one in made if not one.how}
    again = [one for one in made if one.how and one.person in originals]
    table = Table("written twice how", "how many", "found", "of a hundred")
    counted = Counter(one.how for one in again)
    hits = Counter(one.how for one in again if one.id in reached)
    for how, number in sorted(counted.items()):
        table.add_row(how, f"{number:,}", f"{hits[how]:,}", f"{100 * hits[how] / number:.1f}")
    _console.print(table)
    recall = sum(hits.values()) / len(again)
    _console.print(f"recall {recall:.3f}, precision {len(right) / max(len(found), 1):.3f}")
    for least in (50, 60, 70, 80, 90):
        sure = sum(row["score"] >= least for row in right)
        sure_wrong = sum(row["score"] >= least for row in wrong)
        share = sure / max(sure + sure_wrong, 1)
        _console.print(f"  from {least} on: {sure + sure_wrong:,} pairs, precision {share:.3f}")
    for row in wrong[:show]:
        one, other = by_id[row["older_id"]], by_id[row["newer_id"]]
        _console.print(row["score"], row["reasons"], one, other, sep="\n  ")


if __name__ == "__main__":
    main()
