"""The bare baseline: FastAPI and asyncpg, one row, no gateway, no tenants, no events.

`python -m bench.bare DSN PORT` serves what a minimal program would do for the same task. `/ask`
runs any statement and answers with its rows as JSON: what a page costs that does nothing else.
"""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import uvicorn
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel
from uuid_utils.compat import uuid7

EXTENSION = "CREATE EXTENSION IF NOT EXISTS pg_trgm"
SCHEMA = """
    CREATE TABLE IF NOT EXISTS bare_row (
        id uuid PRIMARY KEY, name text, email text, phone text,
        search_key text, body text, created_at timestamptz NOT NULL DEFAULT now()
    )
"""
INDEXES = (
    "CREATE INDEX IF NOT EXISTS bare_newest ON bare_row (created_at DESC, id DESC)",
    "CREATE INDEX IF NOT EXISTS bare_search ON bare_row USING gin (search_key gin_trgm_ops)",
)


class RowIn(BaseModel):
    name: str
    email: str | None = None
    phone: str | None = None
    body: str | None = None


def create_app(dsn: str) -> FastAPI:
    pool: asyncpg.Pool[asyncpg.Record]

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        nonlocal pool
        async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as maker:
            for statement in (EXTENSION, SCHEMA, *INDEXES):
                await maker.execute(statement)
        pool = await asyncpg.create_pool(dsn, min_size=24, max_size=24)
        yield
        await pool.close()

    app = FastAPI(lifespan=lifespan, openapi_url=None)

    @app.post("/rows", status_code=201)
    async def insert(row: RowIn) -> dict[str, Any]:
        row_id = uuid7()
        await pool.execute(
            "INSERT INTO bare_row (id, name, email, phone, search_key, body) "
            "VALUES ($1, $2, $3, $4, $5, $6)",
            row_id,
            row.name,
            row.email,
            row.phone,
            row.name.lower(),
            row.body,
        )
        return {"id": row_id}

    @app.post("/raw", status_code=202)
    async def insert_raw(request: Request) -> dict[str, Any]:
        row_id = uuid7()
        body = (await request.body()).decode()
        await pool.execute("INSERT INTO bare_row (id, body) VALUES ($1, $2)", row_id, body)
        return {"id": row_id}

    @app.get("/rows/{row_id}")
    async def get(row_id: UUID) -> dict[str, Any]:
        return dict(await pool.fetchrow("SELECT * FROM bare_row WHERE id = $1", row_id) or {})

    @app.get("/rows")
    async def newest(limit: int = 25) -> list[dict[str, Any]]:
        rows = await pool.fetch(
            "SELECT * FROM bare_row ORDER BY created_at DESC, id DESC LIMIT $1", limit
        )
        return [dict(row) for row in rows]

    @app.get("/search")
    async def search(q: str, limit: int = 25) -> list[dict[str, Any]]:
        rows = await pool.fetch(
            "SELECT * FROM bare_row WHERE search_key LIKE $1 LIMIT $2", f"%{q}%", limit
        )
        return [dict(row) for row in rows]

    @app.post("/ask")
    async def ask(request: Request) -> Response:
        asked = orjson.loads(await request.body())
        rows = await pool.fetch(asked["sql"], *asked["arguments"])
        content = orjson.dumps([dict(row) for row in rows], default=str)
        return Response(content, media_type="application/json")

    return app


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    uvicorn.run(
        create_app(sys.argv[1]),
        host="127.0.0.1",
        port=int(sys.argv[2]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )
