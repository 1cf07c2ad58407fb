"""`careloop demo` for machines, against a running house."""

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cli.ports import free_port
from tests.cli.supervisor import careloop, user_environment
from tests.support.house import House


@pytest.fixture
def environment(house: House) -> dict[str, str]:
    """The environment of the house's operator."""
    return {**house.environment, "CARELOOP_PORT": str(urlsplit(house.base_url).port)}


def test_the_story_is_one_json_document(environment: dict[str, str], tmp_path: Path) -> None:
    answer = careloop("demo", "--json", folder=tmp_path, environment=environment)
    assert answer.returncode == 0, answer.stderr
    story = json.loads(answer.stdout)
    assert story["ok"] is True
    assert len(story["steps"]) == 10
    assert all(step["ok"] and step["error"] is None for step in story["steps"])
    effects = {effect for step in story["steps"] for effect in step["effects_ms"]}
    assert "in the segment new_customers" in effects


def test_a_step_that_fails_is_told_and_decides_the_exit_code(
    environment: dict[str, str], tmp_path: Path
) -> None:
    wrong = {**environment, "CARELOOP_OPERATOR_KEY": "op_this-key-belongs-to-nobody-at-all"}
    answer = careloop("demo", "--json", folder=tmp_path, environment=wrong)
    assert answer.returncode == 1
    story = json.loads(answer.stdout)
    assert story["ok"] is False
    assert "401" in story["steps"][-1]["error"]
    assert "Traceback" not in answer.stderr


def test_without_a_running_house_the_story_starts_one_for_itself(tmp_path: Path) -> None:
    environment = user_environment(CARELOOP_PORT=str(free_port()))
    answer = careloop("demo", "--json", folder=tmp_path, environment=environment)
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["ok"] is True, "nothing but the document on the output"
