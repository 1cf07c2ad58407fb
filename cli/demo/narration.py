"""How a story is told: step by step for people, as JSON for machines."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from rich.console import Console
from rich.markup import escape

from cli.errors import OperatorError


class StoryFailed(OperatorError):
    """A step did not have the effect it should have."""


@dataclass
class Step:
    """One step: what was done, what was seen, how long the effect took."""

    title: str
    ok: bool = True
    milliseconds: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)
    effects_ms: dict[str, float] = field(default_factory=dict)
    error: str | None = None

    def saw(self, **facts: Any) -> None:
        """Remember ids and values worth telling."""
        self.facts |= {name: str(value) for name, value in facts.items()}

    def took(self, effect: str, seconds: float) -> None:
        """Remember how long an effect took from its cause."""
        self.effects_ms[effect] = round(seconds * 1000, 1)


class Narrator(Protocol):
    """Someone who tells finished steps."""

    def tell(self, step: Step) -> None:
        """Tell one step."""
        ...


class ConsoleNarrator:
    """Tells steps to a person."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._number = 0

    def tell(self, step: Step) -> None:
        """Print a step with its facts and times."""
        self._number += 1
        mark = "[green]✓[/green]" if step.ok else "[red]✗[/red]"
        self._console.print(
            f"{mark} [bold]{self._number}. {step.title}[/bold]"
            f" [dim]{step.milliseconds:.0f} ms[/dim]"
        )
        for name, value in step.facts.items():
            told = f"    [dim]{name.replace('_', ' ')}[/dim] {escape(value)}"
            self._console.print(told, highlight=False)
        for name, value in step.effects_ms.items():
            self._console.print(f"    [cyan]{value:8.1f} ms[/cyan] {name}", highlight=False)
        if step.error:
            self._console.print(f"    [red]{escape(step.error)}[/red]", highlight=False)


class JsonNarrator:
    """Collects steps and prints them as one JSON document at the end."""

    def __init__(self) -> None:
        self._steps: list[Step] = []

    def tell(self, step: Step) -> None:
        """Keep a step."""
        self._steps.append(step)

    def document(self) -> str:
        """The whole story."""
        ok = all(step.ok for step in self._steps)
        steps = [asdict(step) for step in self._steps]
        return json.dumps({"ok": ok, "steps": steps}, ensure_ascii=False, indent=2)


class Script:
    """Runs steps one after the other and has each told; the first that fails ends the story."""

    def __init__(self, narrator: Narrator) -> None:
        self._narrator = narrator

    @asynccontextmanager
    async def step(self, title: str) -> AsyncIterator[Step]:
        """Time a step; tell it however it ends."""
        step = Step(title)
        started = time.perf_counter()
        try:
            yield step
        except Exception as error:
            step.ok = False
            step.error = f"{type(error).__name__}: {error}"
            raise
        finally:
            step.milliseconds = round((time.perf_counter() - started) * 1000, 1)
            self._narrator.tell(step)
