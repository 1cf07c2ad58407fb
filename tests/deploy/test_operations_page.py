"""docs/operations.md names only what there is: paths of the API, commands, settings, files."""

import re
from pathlib import Path

from typer.main import get_command

from cli.main import app
from tests.deploy.test_dashboards import slug

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/operations.md").read_text()


def test_every_link_inside_leads_somewhere():
    headings = {slug(heading) for heading in re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= headings


def test_every_file_is_there():
    named = set(re.findall(r"\b(?:deploy|migrations|tests|docs)/[\w./-]+", PAGE))
    named |= {f"docs/{page}" for page in re.findall(r"\]\(([\w-]+\.md)\)", PAGE)}
    assert {name for name in named if not (ROOT / name.rstrip(".")).exists()} == set()


def test_every_command_is_there():
    commands = get_command(app).commands
    ours = "\n".join(line for line in PAGE.splitlines() if "kubectl" not in line)
    said = re.findall(r"(?<![/\w])careloop ([a-z][a-z-]+)(?: ([a-z][a-z-]+))?", ours)
    for command, further in said:
        if command in commands:
            inner = getattr(commands[command], "commands", None)
            assert inner is None or not further or further in inner, (command, further)
    assert {command for command, _ in said} <= set(commands)


def test_every_setting_is_documented():
    sources = "".join(
        path.read_text()
        for folder in ("shared", "gateway", "services", "cli")
        for path in (ROOT / folder).rglob("*.py")
    )
    for name in set(re.findall(r"\bCARELOOP_([A-Z_]+)\b", PAGE)):
        known = f"CARELOOP_{name}" in sources or f"{name.lower()}:" in sources
        assert known or name.startswith("SMTP"), name
