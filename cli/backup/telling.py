"""How a long piece of work tells how far it is."""

from typing import Protocol


class Telling(Protocol):
    """Somebody who listens."""

    def begin(self, what: str, *, tables: int = 0, size: int = 0) -> None:
        """A new piece of work begins: so many tables, so many bytes if that is known."""
        ...

    def table(self, name: str) -> None:
        """The next table."""
        ...

    def advance(self, size: int) -> None:
        """So many bytes more."""
        ...


class Silence:
    """Tells nobody."""

    def begin(self, what: str, *, tables: int = 0, size: int = 0) -> None:
        """Nothing."""

    def table(self, name: str) -> None:
        """Nothing."""

    def advance(self, size: int) -> None:
        """Nothing."""
