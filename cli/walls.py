"""The start-up check of every part, with the part's own login."""

from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError

from cli.errors import InstallationUnusable
from cli.installation import Installation
from shared.clock import SystemClock
from shared.db.engine import create_engine
from shared.db.unit_of_work import UnitsOfWork
from shared.db.walls import WallsDown, check_walls
from shared.errors import Unavailable
from shared.settings import part_database_url


async def standing_walls(
    installation: Installation, parts: Sequence[str]
) -> dict[str, Exception | None]:
    """What is wrong, by part: WallsDown, or why nobody can tell; None where all is well."""
    return {part: await _fault(installation, part) for part in parts}


async def _fault(installation: Installation, part: str) -> Exception | None:
    environment = installation.environment
    try:
        address = environment.get(f"{part.upper()}_DATABASE_URL") or part_database_url(
            part, admin_url=environment["DATABASE_URL"], root_key=installation.root_key
        )
    except InstallationUnusable as error:
        return error
    engine = create_engine(address, pool_size=1, application=f"careloop-{part}-check")
    units = UnitsOfWork(engine=engine, schema=part, clock=SystemClock(), keep_connections=0)
    try:
        await check_walls(units)
    except (WallsDown, SQLAlchemyError, Unavailable, OSError) as error:
        return error
    finally:
        await units.close()
    return None
