"""Everything that the description allows and forbids, asked of a running installation.

A short run, the same every time; `make schemathesis` asks as often as there is time for.
"""

import pytest

from cli.demo.story import CareLoop
from tests.contract.fuzzing import RULES, live_through, schemathesis
from tests.support.house import House


@pytest.fixture(scope="module")
async def story(house: House) -> CareLoop:
    return await live_through(house)


async def test_every_answer_is_one_that_is_documented(house: House, story: CareLoop) -> None:
    """Each operation at the edges of its schema, and with what it forbids."""
    run = schemathesis(house, story, ["--phases=coverage", "--max-time=15"], quiet=True)
    assert run.returncode == 0, run.stdout


async def test_rules_are_asked_at_random(house: House, story: CareLoop) -> None:
    """They nest in themselves in too many ways to walk them all."""
    only = [f"--include-operation-id={operation}" for operation in RULES]
    run = schemathesis(house, story, ["--phases=fuzzing", "--max-examples=5", *only], quiet=True)
    assert run.returncode == 0, run.stdout
