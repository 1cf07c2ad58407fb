"""`careloop db`: where the parts' data lies."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from cli.errors import NotReady, OperatorError
from cli.installation import Installation

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")
db = typer.Typer(help="Where the data of the parts lies.", no_args_is_help=True)

Part = Literal["customer", "segmentation", "support_ticket", "messaging", "gateway"]
PartOption = Annotated[
    Literal["all", "customer", "segmentation", "support_ticket", "messaging", "gateway"],
    typer.Option(help="Which part; all of them without it"),
]


@db.command()
def distribute(
    part: PartOption = "all",
    apply: Annotated[bool, typer.Option("--apply", help="Run them instead of printing")] = False,
) -> None:
    """Print the statements that spread parts over a Citus cluster, by tenant.

    DATABASE_URL is the administrator's address of the coordinator, migrated and with no traffic.
    """
    from migrations.distribution import NotACluster, distribute, distribution_of  # noqa: PLC0415

    schemas = _schemas(part)
    if not apply:
        for step in _on_server(lambda engine: distribution_of(engine, schemas)):
            typer.echo(f"-- {step.why}\n{step.sql};\n")
        return
    try:
        count = _on_server(lambda engine: distribute(engine, schemas))
    except NotACluster as error:
        raise OperatorError(str(error)) from error
    typer.echo(f"{count} statements run. Now: careloop db check")


@db.command()
def check(part: PartOption = "all") -> None:
    """Write and read one row per part under row-level security; exits 1 when walls are down.

    It finds a forgotten setting of a cluster before traffic does. Nothing is kept.
    """
    from cli.walls import standing_walls  # noqa: PLC0415

    faults = asyncio.run(standing_walls(_installation(), _schemas(part)))
    for schema, fault in faults.items():
        typer.echo(f"{schema}: {_in_short(fault) if fault else 'tenants are kept apart'}")
    raise typer.Exit(1 if any(faults.values()) else 0)


@db.command()
def url(part: Annotated[Part, typer.Argument(help="Whose")]) -> None:
    """Print the address with which a part logs in to the server of DATABASE_URL: a secret.

    Set it as <PART>_DATABASE_URL of the part's processes when the part has a server of its own.
    """
    from shared.settings import part_database_url  # noqa: PLC0415

    installation = _installation()
    admin_url = installation.environment["DATABASE_URL"]
    typer.echo(part_database_url(part, admin_url=admin_url, root_key=installation.root_key))


def _schemas(part: str) -> Sequence[str]:
    from shared.settings import SCHEMAS  # noqa: PLC0415

    return SCHEMAS if part == "all" else (part,)


def _installation() -> Installation:
    installation = Installation.open()
    installation.find_servers()
    if "DATABASE_URL" not in installation.environment:
        raise NotReady("No server is running. Set DATABASE_URL, or use careloop up.")
    return installation


def _on_server(work: "Callable[[AsyncEngine], Awaitable[T]]") -> T:
    """Run `work` with the administrator's engine. Raises NotReady."""
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415
    from sqlalchemy.pool import NullPool  # noqa: PLC0415

    address = _installation().environment["DATABASE_URL"]

    async def run() -> T:
        engine = create_async_engine(address, poolclass=NullPool)
        try:
            return await work(engine)
        finally:
            await engine.dispose()

    try:
        return asyncio.run(run())
    except (SQLAlchemyError, OSError) as error:
        raise NotReady(f"The server refuses: {_in_short(error)}") from error


def _in_short(error: Exception) -> str:
    return str(error.__cause__ or error).strip().splitlines()[0]
