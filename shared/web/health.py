"""`/healthz` (the process lives), `/readyz` (it can do its work), `/metrics`."""

import asyncio
from collections.abc import Awaitable

import structlog
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared.db.walls import WallsDown, check_walls
from shared.json import dumps
from shared.web.context import context_of
from shared.web.draining import draining_of

router = APIRouter(include_in_schema=False)
_PATIENCE_SECONDS = 2
_log = structlog.get_logger(__name__)


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process is alive."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """PostgreSQL answers and keeps tenants apart, and nobody has told this process to end.

    Redis is told of, but its absence only delays work.
    """
    if draining_of(request.app).has_begun:
        return Response(dumps({"status": "draining"}), 503, media_type="application/json")
    context = context_of(request)
    database, redis = await asyncio.gather(
        _answers(_ask_database(request)), _answers(context.queue.ping())
    )
    body = {"status": "ok" if database else "unavailable", "database": database, "redis": redis}
    return Response(dumps(body), 200 if database else 503, media_type="application/json")


@router.get("/metrics")
async def metrics() -> Response:
    """Prometheus text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _ask_database(request: Request) -> None:
    units = context_of(request).units
    await units.ask("SELECT 1")
    if not getattr(request.app.state, "walls_stand", False):
        try:
            await check_walls(units)
        except WallsDown as error:
            _log.critical("walls_down", reason=str(error))
            raise
        request.app.state.walls_stand = True


async def _answers(question: Awaitable[object]) -> bool:
    try:
        await asyncio.wait_for(question, _PATIENCE_SECONDS)
    except Exception:  # noqa: BLE001  (any failure means the same: it does not answer)
        return False
    return True
