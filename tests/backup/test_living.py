"""A running installation is saved by the command, lost, brought back, and its story goes on."""

import os
from pathlib import Path

import httpx

from cli.backup.databases import connect
from cli.demo.client import Api, until
from cli.demo.narration import Script, Step
from cli.demo.story import CareLoop
from cli.mail_catcher import caught
from cli.secrets.columns import sealed_columns
from shared.ids import new_id
from shared.settings import SCHEMAS
from tests.support.house import House, running_house
from tests.support.nursery import nursery
from tests.support.servers import create_database

EMAIL = {
    "kind": "email",
    "name": "Hòm thư",
    "host": "127.0.0.1",
    "port": 9,
    "security": "none",
    "sender_name": "Hoa Sen",
    "sender_address": "cskh@hoasen.example.com",
    "username": "u",
    "password": "p",
}


class Told:
    """Keeps what was told."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def tell(self, step: Step) -> None:
        self.steps.append(step)


def careloop(house: House, *arguments: str, **environment: str) -> str:
    ran = nursery().run(*arguments, environment={**house.environment, **environment})
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


async def holding_sealed_values(url: str) -> set[str]:
    """The columns of the database in which something sealed was found."""
    connection, found = await connect(url), set()
    columns = await connection.fetch(
        "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns "
        "WHERE table_schema = ANY($1) AND data_type IN ('text', 'jsonb', 'bytea')",
        list(SCHEMAS),
    )
    for schema, table, column, kind in columns:
        shown = f"encode({column}, 'escape')" if kind == "bytea" else f"{column}::text"
        where = f"{shown} LIKE '%gAAAA%'"
        if await connection.fetchval(
            f"SELECT EXISTS (SELECT 1 FROM {schema}.{table} WHERE {where})"
        ):
            found.add(f"{schema}.{table}.{column}")
    await connection.close()
    return found


async def test_the_story_goes_on_where_the_backup_was_made(
    worker_number: int, redis_url: str, root_key: str, tmp_path: Path
):
    server, told = os.environ["CARELOOP_TEST_POSTGRES"], Told()
    names = [f"living_{worker_number}_{new_id().hex}" for _ in range(2)]
    first = await create_database(server, names[0])
    second = await create_database(server, names[1], template="template0")
    saved = tmp_path / "backup.zip"
    places = {"redis_url": redis_url, "root_key": root_key, "folder": tmp_path}

    with running_house("all_in_one", database_url=first, **places) as house:
        async with httpx.AsyncClient(base_url=house.base_url, timeout=30) as http:
            story = CareLoop(
                http,
                operator_key=house.operator_key,
                mailbox=lambda: caught(house.mail.folder),
                script=Script(told),
            )
            await story.open_the_shop()
            await story.receive_deliveries()
            await story.know_the_customer()
            await story.group_and_thank()
            channel = await story.api.post("/v1/connections", EMAIL)
            await until(
                lambda: holding_sealed_values(first),
                lambda found: "messaging.email_channel.sealed_credentials" in found,
                what="the channel's credentials have reached the sender",
            )
            switched_off = await http.patch(
                f"/v1/connections/{channel['id']}",
                json={"active": False},
                headers={"Authorization": f"Bearer {story.shop.api_key}"},
            )
            assert switched_off.status_code == 200
        known = {column.full_name for column in sealed_columns()}
        assert await holding_sealed_values(first) - known == set()
        said = careloop(house, "backup", str(saved))
        assert str(saved) in said
        one = careloop(house, "backup", str(tmp_path / "shop.zip"), "--tenant", story.shop.slug)
        assert "rows" in one
        restored = careloop(house, "restore", str(saved), DATABASE_URL=second)
        assert "is back" in restored

    with running_house("all_in_one", database_url=second, **places) as house:
        async with httpx.AsyncClient(base_url=house.base_url, timeout=30) as http:
            owner = {"email": story.shop.owner_email, "password": story.shop.owner_password}
            assert (await http.post("/v1/auth/login", json=owner)).status_code == 200
            story._http, story.api = http, Api(http, story.shop.api_key)
            await story.hear_the_complaint()
            await story.answer_the_complaint()
            await story.ask_how_it_went()
            await story.add_it_up()
    assert [step.error for step in told.steps] == [None] * 8
