"""Tables that every part's schema holds: tenant settings, outbox, streams, idempotency, jobs.

`part_metadata("customer")` is where a part's own `models.py` starts.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from shared.privacy.registry import impersonal

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Instant = TIMESTAMP(timezone=True)
# Marks a column that may hold something sealed without being called `sealed…`: a column's `info`.
SEALED: dict[Any, Any] = {"sealed": True}


def tenant_column() -> Column[Any]:
    """`tenant_id`, the first column of every primary key."""
    return Column("tenant_id", Uuid, primary_key=True)


def instant(name: str, *, nullable: bool = False) -> Column[Any]:
    """An aware point in time."""
    return Column(name, Instant, nullable=nullable)


@dataclass(frozen=True, slots=True)
class PartTables:
    """The tables of the foundation in one part's schema."""

    schema: str
    tenant: Table
    outbox: Table
    stream: Table
    subscription: Table
    cursor: Table
    dead_letter: Table
    idempotency_key: Table
    code_counter: Table
    job: Table
    job_file: Table
    erased_customer: Table


@lru_cache
def part_metadata(schema: str) -> MetaData:
    """The metadata of a part's schema, with the tables of the foundation already in it."""
    metadata = MetaData(schema=schema, naming_convention=NAMING)
    _define(metadata)
    return metadata


@lru_cache
def part_tables(schema: str) -> PartTables:
    """The tables of the foundation in `schema`."""
    tables = part_metadata(schema).tables
    names = [name for name in PartTables.__slots__ if name != "schema"]
    return PartTables(schema=schema, **{name: tables[f"{schema}.{name}"] for name in names})


def _define(metadata: MetaData) -> None:
    _define_tenant(metadata)
    _define_stream_source(metadata)
    _define_stream_consumer(metadata)
    _define_request_tables(metadata)
    _define_erasures(metadata)
    _declare(metadata)


def _define_erasures(metadata: MetaData) -> None:
    """Who has been erased: what still comes of them is erased, too."""
    erased = Table(
        "erased_customer",
        metadata,
        tenant_column(),
        Column("customer_id", Uuid, primary_key=True),
        Column("erasure_id", Uuid, nullable=False),
        instant("erased_at"),
        instant("again_at", nullable=True),
    )
    Index(
        "ix_erased_customer_again",
        erased.c.tenant_id,
        erased.c.again_at,
        postgresql_where=erased.c.again_at.is_not(None),
    )


# What of the foundation is about people is gone by itself, before any law asks for it.
_NOT_OF_PEOPLE: dict[str, str] = {
    "tenant": "the shop itself",
    "outbox": "told to all and forgotten after `EVENT_DAYS`",
    "stream": "positions",
    "subscription": "positions",
    "cursor": "positions",
    "dead_letter": "emptied of people by `erase_dead_letters`",
    "idempotency_key": "forgotten after a day",
    "code_counter": "numbers",
    "job": "what was asked for, by ids",
    "job_file": "files are gone after seven days",
    "erased_customer": "ids of nobody any more",
}


def _declare(metadata: MetaData) -> None:
    for name, why in _NOT_OF_PEOPLE.items():
        impersonal(metadata.tables[f"{metadata.schema}.{name}"], why)


def _define_tenant(metadata: MetaData) -> None:
    Table(
        "tenant",
        metadata,
        tenant_column(),
        Column("name", Text, nullable=False),
        Column("slug", Text, nullable=False),
        Column("timezone", Text, nullable=False),
        Column("currency", Text, nullable=False),
        Column("locale", Text, nullable=False),
        Column("country", Text, nullable=False),
        Column("version", BigInteger, nullable=False),
        instant("created_at"),
        instant("updated_at"),
    )


def _define_stream_source(metadata: MetaData) -> None:
    outbox = Table(
        "outbox",
        metadata,
        tenant_column(),
        Column("id", Uuid, primary_key=True),
        Column("split", SmallInteger, nullable=False),
        Column("position", BigInteger),
        Column("key", Uuid, nullable=False),
        Column("type", Text, nullable=False),
        Column("data", JSONB, nullable=False, info=SEALED),
        Column("context", JSONB, nullable=False),
        instant("occurred_at"),
        Column("recorded_at", Instant, nullable=False, server_default=func.clock_timestamp()),
    )
    unsent = outbox.c.position.is_(None)
    Index(
        "ix_outbox_unsent",
        outbox.c.tenant_id,
        outbox.c.split,
        outbox.c.recorded_at,
        outbox.c.id,
        postgresql_where=unsent,
    )
    Index(
        "uq_outbox_position",
        outbox.c.tenant_id,
        outbox.c.split,
        outbox.c.position,
        unique=True,
        postgresql_where=~unsent,
    )
    Table(
        "stream",
        metadata,
        tenant_column(),
        Column("split", SmallInteger, primary_key=True),
        Column("last_position", BigInteger, nullable=False),
    )
    subscription = Table(
        "subscription",
        metadata,
        tenant_column(),
        Column("split", SmallInteger, primary_key=True),
        Column("consumer", Text, primary_key=True),
        Column("acked", BigInteger, nullable=False),
        Column("sent", BigInteger, nullable=False),
        Column("resends", Integer, nullable=False),
        instant("sent_at"),
        CheckConstraint("acked <= sent", name="acked_not_past_sent"),
    )
    Index(
        "ix_subscription_waiting",
        subscription.c.tenant_id,
        postgresql_where=text("acked < sent"),
    )


def _define_stream_consumer(metadata: MetaData) -> None:
    Table(
        "cursor",
        metadata,
        tenant_column(),
        Column("source", Text, primary_key=True),
        Column("split", SmallInteger, primary_key=True),
        Column("position", BigInteger, nullable=False),
        Column("failing_position", BigInteger),
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        instant("updated_at"),
    )
    dead_letter = Table(
        "dead_letter",
        metadata,
        tenant_column(),
        Column("id", Uuid, primary_key=True),
        Column("source", Text, nullable=False),
        Column("split", SmallInteger, nullable=False),
        Column("position", BigInteger, nullable=False),
        Column("type", Text, nullable=False),
        Column("event", JSONB, nullable=False, info=SEALED),
        Column("error", Text, nullable=False),
        Column("attempts", Integer, nullable=False),
        instant("created_at"),
        instant("replayed_at", nullable=True),
    )
    Index("ix_dead_letter_tenant_id_created_at", dead_letter.c.tenant_id, dead_letter.c.created_at)
    Index(
        "ix_dead_letter_open",
        dead_letter.c.tenant_id,
        postgresql_where=dead_letter.c.replayed_at.is_(None),
    )


def _define_request_tables(metadata: MetaData) -> None:
    idempotency = Table(
        "idempotency_key",
        metadata,
        tenant_column(),
        Column("actor_id", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("fingerprint", LargeBinary, nullable=False),
        Column("status", SmallInteger, nullable=False),
        Column("headers", JSONB, nullable=False),
        Column("body", LargeBinary, nullable=False, info=SEALED),
        instant("created_at"),
    )
    Index(
        "ix_idempotency_key_tenant_id_created_at", idempotency.c.tenant_id, idempotency.c.created_at
    )
    Table(
        "code_counter",
        metadata,
        tenant_column(),
        Column("kind", Text, primary_key=True),
        Column("next_value", BigInteger, nullable=False),
    )
    _define_jobs(metadata)


def _define_jobs(metadata: MetaData) -> None:
    job = Table(
        "job",
        metadata,
        tenant_column(),
        Column("id", Uuid, primary_key=True),
        Column("kind", Text, nullable=False),
        Column("status", Text, nullable=False),
        Column("done", BigInteger, nullable=False),
        Column("total", BigInteger),
        Column("detail", JSONB, nullable=False),
        Column("error", Text),
        instant("created_at"),
        instant("updated_at"),
        instant("finished_at", nullable=True),
        # Where the work stands, for the worker alone.
        Column("state", JSONB, nullable=False, server_default=text("'{}'")),
        Column("version", BigInteger, nullable=False, server_default=text("1")),
        # How often the step it is at was begun; a worker that is killed counts too.
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        # Whose hands it is in, and until when if nothing is heard of them.
        Column("lease_owner", Uuid),
        instant("lease_until", nullable=True),
        # It waits for somebody else, and workers pass it over.
        Column("parked", Boolean, nullable=False, server_default=text("false")),
        instant("cancel_requested_at", nullable=True),
        Column("files", JSONB, nullable=False, server_default=text("'{}'")),
        # What a caller needs besides `jobs:read` to have the files.
        Column("file_scopes", JSONB, nullable=False, server_default=text("'[]'")),
        instant("files_expire_at", nullable=True),
        CheckConstraint(
            "status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name="status"
        ),
    )
    Index("ix_job_newest", job.c.tenant_id, job.c.created_at, job.c.id)
    Index(
        "ix_job_waiting",
        job.c.tenant_id,
        job.c.created_at,
        job.c.id,
        postgresql_where=text("status IN ('queued', 'running') AND NOT parked"),
    )
    Index("ix_job_ended", job.c.tenant_id, postgresql_where=job.c.finished_at.is_not(None))
    Table(
        "job_file",
        metadata,
        tenant_column(),
        Column("job_id", Uuid, primary_key=True),
        Column("name", Text, primary_key=True),
        Column("part", Integer, primary_key=True),
        Column("content", LargeBinary, nullable=False),
        CheckConstraint("name IN ('result', 'errors')", name="name"),
    )
