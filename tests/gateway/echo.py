"""A service that answers with what reached it."""

import asyncio

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from shared.clock import SystemClock
from shared.errors import NotFound
from shared.security.principal import PRINCIPAL_HEADER, PrincipalTokens
from shared.web.problems import install_problem_handlers


def create_echo(name: str, root_key: str) -> FastAPI:
    """An application that believes the principal token, as services do."""
    app = FastAPI(title=name)
    install_problem_handlers(app)
    principals = PrincipalTokens(root_key=root_key, clock=SystemClock())
    app.state.served = 0

    @app.get("/v1/jobs/{job_id}", operation_id="jobs.get")
    async def job(job_id: str, request: Request) -> dict[str, str]:
        """A job of this part."""
        principals.verify(request.headers.get(PRINCIPAL_HEADER))
        if job_id != f"of-{name}":
            raise NotFound
        return {"id": job_id, "part": name}

    app.state.counts = {}

    @app.get("/v1/care-loop-counts", include_in_schema=False)
    async def counts(request: Request) -> dict[str, int]:
        principals.verify(request.headers.get(PRINCIPAL_HEADER)).require(["reports:read"])
        told: dict[str, int] = app.state.counts
        return told

    @app.get("/v1/customers/crash")
    async def crash() -> None:
        raise RuntimeError("on purpose")

    @app.get("/v1/customers/stream")
    async def stream() -> StreamingResponse:
        """Three lines, one after the other."""

        async def lines():
            for number in range(3):
                yield f"line {number}\n"
                await asyncio.sleep(0)

        return StreamingResponse(lines(), media_type="text/event-stream")

    @app.api_route(
        "/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False
    )
    async def echo(path: str, request: Request) -> dict[str, object]:
        app.state.served += 1
        principal = principals.verify(request.headers.get(PRINCIPAL_HEADER))
        return {
            "part": name,
            "method": request.method,
            "path": request.url.path,
            "query": request.url.query,
            "headers": dict(request.headers.items()),
            "principal_headers": request.headers.getlist(PRINCIPAL_HEADER),
            "body": (await request.body()).decode(),
            "tenant": str(principal.tenant_id),
            "kind": principal.kind,
            "actor": principal.actor_id,
            "scopes": sorted(principal.scopes),
            "client_ip": principal.client_ip,
            "visibility": principal.visibility,
            "teams": sorted(str(team) for team in principal.team_ids),
            "customer": str(principal.customer_id) if principal.customer_id else None,
        }

    return app
