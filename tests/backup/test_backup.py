"""What was saved comes back to the last byte, or nothing comes back and the operator knows why."""

import shutil
import zipfile
from pathlib import Path

import orjson
import pytest

from cli.backup.errors import BackupUnusable, ShopNotFound, TargetNotFit
from migrations.runner import history, to_revision
from shared.security.keys import KeyRing
from shared.settings import SCHEMAS
from tests.backup.conftest import SLUG, MakePlace, Place
from tests.migrations.rows import digests

NEW_KEY = "another-root-key-" + "2" * 32


@pytest.fixture(scope="module")
async def full(make_place: MakePlace) -> Place:
    """Nobody changes anything in it."""
    place = await make_place()
    await place.fill()
    return place


@pytest.fixture(scope="module")
async def backup(full: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("backup") / "all.zip"
    await full.save(path)
    return path


@pytest.fixture
def saved(backup: Path, tmp_path: Path) -> Path:
    """A copy of the backup, to do with as one likes."""
    return Path(shutil.copy2(backup, tmp_path))


async def test_an_installation_comes_back_into_an_empty_database(
    full: Place, saved: Path, make_place: MakePlace
):
    target = await make_place(migrated=False)
    manifest = await target.load(saved)
    assert await target.digests() == await full.digests()
    assert manifest.rows > 200


async def test_a_backup_is_its_owners_business(saved: Path):
    assert saved.stat().st_mode & 0o077 == 0


async def test_parts_may_live_apart_before_and_after(
    full: Place, make_place: MakePlace, tmp_path: Path
):
    apart = await make_place(migrated=False, apart=["customer", "messaging"])
    await full.save(tmp_path / "one.zip")
    await apart.load(tmp_path / "one.zip")
    assert await apart.digests() == await full.digests()
    await apart.save(tmp_path / "several.zip")
    together = await make_place(migrated=False)
    await together.load(tmp_path / "several.zip")
    assert await together.digests() == await full.digests()


async def test_what_has_rows_is_left_alone(full: Place, saved: Path, make_place: MakePlace):
    target = await make_place()
    await target.execute(
        "support_ticket",
        "INSERT INTO support_ticket.code_counter VALUES (gen_random_uuid(), 'ticket', 1)",
    )
    before = await target.digests()
    with pytest.raises(TargetNotFit, match=r"support_ticket\.code_counter has rows"):
        await target.load(saved)
    assert await target.digests() == before


class TestOneShop:
    """A shop moves, by itself, under its id."""

    async def test_it_comes_back_beside_others(
        self, full: Place, make_place: MakePlace, tmp_path: Path
    ):
        manifest = await full.save(tmp_path / "shop.zip", SLUG)
        others = await make_place()
        await others.fill(seed=2)
        await others.execute("gateway", "DELETE FROM gateway.directory WHERE lookup = 'hoa-mai'")
        counts = {
            schema: await others.rows(schema, f"SELECT count(*) FROM {schema}.tenant")
            for schema in SCHEMAS
        }
        await others.load(tmp_path / "shop.zip")
        again = tmp_path / "again.zip"
        assert (await others.save(again, SLUG)).rows == manifest.rows
        assert contents(again) == contents(tmp_path / "shop.zip")
        [(count,)] = await others.rows("customer", "SELECT count(*) FROM customer.tenant")
        assert count == counts["customer"][0][0] + (manifest_rows(manifest, "customer", "tenant"))

    async def test_no_other_shops_row_is_in_it(self, full: Place, tmp_path: Path):
        manifest = await full.save(tmp_path / "shop.zip", SLUG)
        others = await full.rows(
            "customer",
            "SELECT DISTINCT tenant_id FROM customer.customer WHERE tenant_id <> :tenant",
            tenant=manifest.tenant_id,
        )
        everything = b"".join(contents(tmp_path / "shop.zip").values())
        assert others
        assert not [tenant for (tenant,) in others if str(tenant).encode() in everything]

    async def test_one_that_is_there_is_left_alone(self, full: Place, tmp_path: Path):
        await full.save(tmp_path / "shop.zip", SLUG)
        with pytest.raises(TargetNotFit, match="is here already"):
            await full.load(tmp_path / "shop.zip")

    async def test_its_slug_may_belong_to_somebody_else(
        self, full: Place, make_place: MakePlace, tmp_path: Path
    ):
        await full.save(tmp_path / "shop.zip", SLUG)
        others = await make_place()
        await others.fill(seed=3)
        before = await others.digests()
        with pytest.raises(TargetNotFit, match="belongs to another one here"):
            await others.load(tmp_path / "shop.zip")
        assert await others.digests() == before

    async def test_nobody_has_that_name(self, full: Place, tmp_path: Path):
        with pytest.raises(ShopNotFound, match="'nobody'"):
            await full.save(tmp_path / "shop.zip", "nobody")
        assert list(tmp_path.iterdir()) == []


class TestWhatCannotBeTrusted:
    """Nothing is touched before all of the file has been read."""

    @pytest.fixture
    async def target(self, make_place: MakePlace) -> Place:
        return await make_place(migrated=False)

    async def refused(self, target: Place, path: Path, message: str, kind=BackupUnusable) -> None:
        with pytest.raises(kind, match=message):
            await target.load(path)
        assert (
            await target.rows("gateway", "SELECT 1 FROM pg_namespace WHERE nspname = 'gateway'")
            == []
        )

    async def test_a_file_that_was_cut_off(self, saved: Path, target: Place):
        saved.write_bytes(saved.read_bytes()[:-100])
        await self.refused(target, saved, "cut off")

    async def test_a_byte_that_changed(self, saved: Path, target: Place):
        raw = bytearray(saved.read_bytes())
        with zipfile.ZipFile(saved) as archive:
            place = archive.getinfo("customer/customer.csv")
        raw[place.header_offset + 200] ^= 0xFF
        saved.write_bytes(raw)
        await self.refused(target, saved, "damaged")

    async def test_a_table_that_was_exchanged(self, saved: Path, target: Path, tmp_path: Path):
        """Its checksum inside the ZIP is right; the manifest knows better."""
        other = tmp_path / "other.zip"
        with zipfile.ZipFile(saved) as old, zipfile.ZipFile(other, "w") as new:
            for name in old.namelist():
                content = old.read(name)
                new.writestr(
                    name, content.replace(b"name", b"eman") if "staff" in name else content
                )
        await self.refused(target, other, r"gateway/staff\w*\.csv is not what was written")

    async def test_something_else(self, target: Place, tmp_path: Path):
        (tmp_path / "x.zip").write_text("hello")
        await self.refused(target, tmp_path / "x.zip", "not a backup")
        await self.refused(target, tmp_path / "absent.zip", "no file")

    async def test_a_later_release(self, saved: Path, target: Place):
        rewrite(saved, lambda manifest: manifest["schemas"]["customer"].update(revision="9999"))
        await self.refused(target, saved, "newer than this one")

    async def test_another_format(self, saved: Path, target: Place):
        rewrite(saved, lambda manifest: manifest.update(format=2))
        await self.refused(target, saved, "format 2")

    async def test_another_secret_key(self, full: Place, saved: Path, target: Place):
        target.root_key = NEW_KEY
        await self.refused(target, saved, "another CARELOOP_SECRET_KEY", TargetNotFit)


async def test_the_old_key_in_the_ring_is_enough(
    full: Place, saved: Path, make_place: MakePlace, root_key: str
):
    """The roles of this server belong to all tests, so their passwords stay the old key's."""
    target = await make_place(migrated=False)
    await target.load(saved, root_key=KeyRing(root_key, (NEW_KEY,)))
    assert await target.digests() == await full.digests()


async def test_an_older_release_is_loaded_and_then_migrated(
    make_place: MakePlace, tmp_path: Path, full: Place
):
    """The installation that was saved had not been migrated to the last revisions yet."""
    older = await make_place()
    engine = older.engine("customer")
    for schema in SCHEMAS:
        await to_revision(engine, schema, history(schema)[0])
    await engine.dispose()
    await older.fill()
    before = await older.digests()
    await older.save(tmp_path / "older.zip")
    target = await make_place(migrated=False)
    await target.load(tmp_path / "older.zip")
    for schema in SCHEMAS:
        [(revision,)] = await target.rows(
            schema, f"SELECT version_num FROM {schema}.alembic_version"
        )
        assert revision == history(schema)[-1]
        engine = target.engine(schema)
        known = await older.tables(schema)
        assert await digests(engine, schema, known) == before[schema]
        await engine.dispose()


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {
            name: b"\n".join(sorted(archive.read(name).splitlines()))
            for name in archive.namelist()
            if name != "manifest.json"
        }


def manifest_rows(manifest, schema: str, table: str) -> int:
    return next(entry.rows for entry in manifest.schemas[schema].tables if entry.name == table)


def rewrite(path: Path, change) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = orjson.loads(members["manifest.json"])
    change(manifest)
    members["manifest.json"] = orjson.dumps(manifest)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
