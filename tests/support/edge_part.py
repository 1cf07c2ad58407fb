"""A part with one small resource, to see what the edge does with requests."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, Request, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import (
    BigInteger,
    Column,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    insert,
    select,
    text,
    update,
)

from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id
from shared.db.tables import part_metadata, tenant_column
from shared.errors import Conflict, LostRace, NotFound
from shared.ids import new_id
from shared.jobs.repository import JobRepository
from shared.part.app import create_part_app
from shared.part.context import PartContext
from shared.web.resources import Page, check_version, etag, if_match, page_request
from shared.web.routing import PrincipalDep, UnitOfWorkDep, requires, service_router

EDGE = "edge"
THING = Table(
    "thing",
    part_metadata(EDGE),
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("code", Text),
    Column("version", BigInteger, nullable=False),
    # One constraint that speaks at once, one that speaks at commit.
    UniqueConstraint("tenant_id", "code"),
    UniqueConstraint("tenant_id", "name", deferrable=True, initially="DEFERRED"),
)
ORDER = [SortKey(THING.c.name, "name", str), SortKey(THING.c.id, "id", parse_id)]

# What happens at the commit of a thing depends on its name.
COMMIT_TROUBLES = (
    "CREATE SEQUENCE edge.attempts",
    "GRANT USAGE ON SEQUENCE edge.attempts TO careloop_edge",
    """
    CREATE FUNCTION edge.trouble() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.name LIKE 'twice:%' AND nextval('edge.attempts') % 3 <> 0 THEN
            RAISE EXCEPTION 'on purpose' USING ERRCODE = split_part(NEW.name, ':', 2);
        ELSIF NEW.name LIKE 'always:%' THEN
            RAISE EXCEPTION 'on purpose' USING ERRCODE = split_part(NEW.name, ':', 2);
        ELSIF NEW.name = 'cut off' THEN
            PERFORM pg_terminate_backend(pg_backend_pid());
        END IF;
        RETURN NULL;
    END
    $$
    """,
    """
    CREATE CONSTRAINT TRIGGER trouble AFTER INSERT ON edge.thing DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION edge.trouble()
    """,
)

router = service_router(prefix="/v1/things", tag="things")
READ = requires("things:read")
WRITE = requires("things:write")


class ThingCreate(BaseModel):
    """A new thing."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=200)
    code: str | None = Field(default=None, max_length=50)


class ThingRename(BaseModel):
    """A new name."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=200)


class ThingRead(BaseModel):
    """A thing."""

    id: UUID
    name: str
    code: str | None
    version: int


@router.post("", status_code=201, operation_id="things.create", dependencies=[WRITE])
async def create_thing(
    body: ThingCreate, response: Response, uow: UnitOfWorkDep, x: int | None = None
) -> ThingRead:
    """Add a thing. `taken` is a name that a rule forbids, and `x` changes nothing."""
    thing = ThingRead(id=new_id(), name=body.name, code=body.code, version=1)
    await uow.execute(insert(THING).values(tenant_id=uow.tenant_id, **thing.model_dump()))
    if body.name == "taken":
        raise Conflict("That name is taken")
    response.headers["Location"] = f"/v1/things/{thing.id}"
    response.headers["ETag"] = etag(thing.version)
    return thing


@router.get("", operation_id="things.list", dependencies=[READ])
async def list_things(
    uow: UnitOfWorkDep, asked: Annotated[PageRequest, Depends(page_request)]
) -> Page[ThingRead]:
    """All things by name."""
    statement = page(select(THING).where(THING.c.tenant_id == uow.tenant_id), ORDER, asked)
    rows, cursor = next_cursor(await uow.rows(statement), ORDER, asked.limit)
    return Page(data=[ThingRead.model_validate(row._mapping) for row in rows], next_cursor=cursor)


@router.get("/{thing_id}", operation_id="things.get", dependencies=[READ])
async def get_thing(thing_id: UUID, response: Response, uow: UnitOfWorkDep) -> ThingRead:
    """One thing."""
    thing = await _get(uow, thing_id)
    response.headers["ETag"] = etag(thing.version)
    return thing


@router.patch("/{thing_id}", operation_id="things.rename", dependencies=[WRITE])
async def rename_thing(
    thing_id: UUID,
    body: ThingRename,
    response: Response,
    uow: UnitOfWorkDep,
    expected: Annotated[int | None, Depends(if_match)],
) -> ThingRead:
    """Rename a thing."""
    thing = await _get(uow, thing_id)
    check_version(thing.version, expected)
    await uow.execute(
        update(THING)
        .where(THING.c.tenant_id == uow.tenant_id, THING.c.id == thing_id)
        .values(name=body.name, version=thing.version + 1)
    )
    response.headers["ETag"] = etag(thing.version + 1)
    return thing.model_copy(update={"name": body.name, "version": thing.version + 1})


@router.post("/crash", status_code=204, operation_id="things.crash", dependencies=[WRITE])
async def crash() -> None:
    """Fail in a way nobody foresaw."""
    raise RuntimeError("the secret is 42")


@router.post("/race", status_code=201, operation_id="things.race", dependencies=[WRITE])
async def race(uow: UnitOfWorkDep, request: Request) -> dict[str, int]:
    """Lose a race as often as the name says, then win."""
    body = ThingCreate.model_validate(await request.json())
    runs = request.app.state.runs = getattr(request.app.state, "runs", 0) + 1
    await uow.execute(
        insert(THING).values(
            tenant_id=uow.tenant_id, id=new_id(), name=f"{body.name} {runs}", version=1
        )
    )
    if runs <= int(body.name):
        raise LostRace
    return {"runs": runs}


@router.post("/upload", status_code=201, operation_id="things.upload", dependencies=[WRITE])
async def upload(file: UploadFile, uow: UnitOfWorkDep, request: Request) -> dict[str, int]:
    """Fail with a conflict after reading an upload that cannot be read twice."""
    request.app.state.uploads = getattr(request.app.state, "uploads", 0) + 1
    await file.read()
    await uow.execute(text("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$"))
    return {}


@router.post("/jobs", status_code=202, operation_id="things.startJob", dependencies=[WRITE])
async def start_job(uow: UnitOfWorkDep) -> dict[str, UUID]:
    """Begin something long."""
    return {"id": await JobRepository(uow, schema=EDGE).add("counting", detail={"of": "sheep"})}


@router.get("/whoami/{anything}", operation_id="things.whoami", dependencies=[requires()])
async def whoami(anything: str, principal: PrincipalDep) -> dict[str, Any]:
    """The caller as the part sees it."""
    return {"actor": principal.actor_id, "anything": anything}


async def _get(uow: UnitOfWorkDep, thing_id: UUID) -> ThingRead:
    row = await uow.one_or_none(
        select(THING).where(THING.c.tenant_id == uow.tenant_id, THING.c.id == thing_id)
    )
    if row is None:
        raise NotFound
    return ThingRead.model_validate(row._mapping)


def create_edge_app(context: PartContext[Any]) -> FastAPI:
    """The application of the part."""
    return create_part_app(context, title="Edge", description="For tests", routers=[router])
