"""The README's tour, typed as it stands there, by a new user's shell."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cli.demo.shop import Shop
from tests.support.house import House

README = Path(__file__).parents[2] / "README.md"
SHELL = shutil.which("bash") or shutil.which("sh")

pytestmark = pytest.mark.skipif(
    SHELL is None or shutil.which("curl") is None, reason="the tour needs a shell and curl"
)


def tour() -> list[str]:
    """The commands of the tour's block, with continued lines joined."""
    section = README.read_text(encoding="utf-8").split("## A tour in 60 seconds")[1]
    block = re.search(r"```console\n(.*?)```", section, re.DOTALL)
    assert block is not None
    lines = [line for line in block[1].splitlines() if not line.startswith("#")]
    commands: list[str] = []
    for line in filter(None, lines):
        # A command begins at the margin; what is indented goes on with it.
        if line.startswith(" "):
            commands[-1] += f"\n{line}"
        else:
            commands.append(line)
    return commands


class NewUser:
    """Types commands one after the other, in a folder where `make run` has written its file."""

    def __init__(self, folder: Path, base_url: str) -> None:
        self._folder = folder
        self._setting = [c for c in tour() if c.startswith("export ")]
        self._base_url = base_url

    def types(self, command: str) -> tuple[int, Any]:
        """Status and JSON of the answer to a curl command."""
        script = "\n".join(
            [*self._setting, f"export API={self._base_url}", f"{command} -w '\\n%{{http_code}}'"]
        )
        answer = subprocess.run(
            [str(SHELL), "-eu", "-c", script],
            cwd=self._folder,
            capture_output=True,
            encoding="utf-8",
            timeout=30,
            check=True,
        )
        body, _, status = answer.stdout.rpartition("\n")
        return int(status), json.loads(body)


@pytest.fixture
def new_user(house: House, shop: Shop, tmp_path: Path) -> NewUser:
    (tmp_path / ".careloop").mkdir()
    written = {"base_url": house.base_url, "api_key": shop.api_key}
    (tmp_path / ".careloop" / "demo.json").write_text(json.dumps(written))
    return NewUser(tmp_path, house.base_url)


def test_the_tour_works_as_it_is_written(new_user: NewUser) -> None:
    calls = [command for command in tour() if command.startswith("curl ")]
    answers = [new_user.types(call) for call in calls]
    assert [status for status, _ in answers] == [201, 200, 200, 201, 200]
    created, found, segments, ticket, report = (body for _, body in answers)
    assert (created["name"], created["phone"]) == ("Nguyễn Văn Đức", "+84395678945")
    assert [customer["id"] for customer in found["data"]] == [created["id"]]
    assert "new_customers" in {segment["key"] for segment in segments["data"]}
    assert ticket["contact"]["email"] == created["email"]
    assert None not in (ticket["code"], ticket["priority"], ticket["resolution_due_at"])
    assert report["reconciliation"]


def test_every_link_of_the_readme_leads_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", README.read_text(encoding="utf-8"))
    assert targets
    missing = [t for t in targets if "://" not in t and not (README.parent / t).exists()]
    assert missing == []
