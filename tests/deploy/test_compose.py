"""docker-compose.yml and Dockerfile, held against the published schema and our own commands."""

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator
from typer.main import get_command

from cli.main import app

ROOT = Path(__file__).parents[2]
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
PARTS = {"gateway", "customer", "segmentation", "support-ticket", "messaging"}
OURS = {name: spec for name, spec in SERVICES.items() if spec.get("image") == "careloop"}


def test_the_file_is_valid_by_the_compose_specification():
    schema = files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json"
    document = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    document = {key: value for key, value in document.items() if not key.startswith("x-")}
    errors = list(Draft7Validator(json.loads(schema.read_text())).iter_errors(document))
    assert [error.message for error in errors] == []


def test_every_part_has_an_api_and_a_worker():
    assert PARTS | {f"{part}-worker" for part in PARTS} | {"migrate"} == set(OURS)


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_container_runs_a_command_that_exists(name):
    command, *arguments = OURS[name]["command"]
    parser = get_command(app).commands[command]
    context = parser.make_context(command, list(arguments))
    assert context.params["part"] in {"all", *(p.replace("-", "_") for p in PARTS)}


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate"}))
def test_everything_that_stays_up_has_a_health_check(name):
    assert "healthcheck" in SERVICES[name]


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_dependency_is_waited_for_until_it_works(name):
    for needed, how in OURS[name]["depends_on"].items():
        expected = "service_completed_successfully" if needed == "migrate" else "service_healthy"
        assert how["condition"] == expected


def test_every_variable_that_is_asked_for_is_documented():
    asked = set(re.findall(r"\$\{(CARELOOP_\w+)", (ROOT / "docker-compose.yml").read_text()))
    documented = (ROOT / ".env.example").read_text()
    assert {name for name in asked if name not in documented} == set()


def test_the_image_copies_what_exists_and_installs_by_hash():
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "--require-hashes" in dockerfile
    for source in re.findall(r"^COPY (?!--from)(\S+) ", dockerfile, re.MULTILINE):
        assert (ROOT / source).exists(), source
