"""Everything that the description allows and forbids, asked of a running installation.

A short run, the same every time; `make schemathesis` asks as often as there is time for.
"""

from tests.contract.fuzzing import live_through, schemathesis
from tests.support.house import House


async def test_every_answer_is_one_that_is_documented(house: House) -> None:
    """Each operation by its examples, at the edges of its schema, and with what it forbids."""
    story = await live_through(house)
    run = schemathesis(house, story, ["--phases=examples,coverage", "--max-time=50"], quiet=True)
    assert run.returncode == 0, run.stdout
