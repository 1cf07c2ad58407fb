"""What people ask for by law, what forbids to do it, and what has come of it."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import ERASED, belonging_to, impersonal, personal

privacy_request = Table(
    "privacy_request",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    # Unknown where a platform asks for somebody of whom nothing is known here.
    Column("customer_id", Uuid),
    Column("channel", Text, nullable=False),
    Column("law", Text, nullable=False),
    Column("purposes", JSONB, nullable=False),
    Column("with_processor", Boolean, nullable=False),
    Column("details", Text),
    Column("identity_check", JSONB(none_as_null=True)),
    instant("received_at"),
    instant("acknowledge_by", nullable=True),
    instant("acknowledged_at", nullable=True),
    instant("due_at"),
    instant("extended_at", nullable=True),
    Column("extension_reason", Text),
    instant("remind_at", nullable=True),
    instant("reminded_at", nullable=True),
    instant("closed_at", nullable=True),
    Column("outcome", Text),
    # The platform's delivery that asked for it.
    Column("source_key", Text),
    Column("job_id", Uuid),
    # Which jobs have made, or make, a file for it, when and by whom each was asked for.
    Column("files", JSONB, nullable=False, server_default=text("'[]'")),
    Column("erasure_id", Uuid),
    Column("opened_by", Text, nullable=False),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    CheckConstraint(
        "kind IN ('access', 'portability', 'rectification', 'restriction', 'objection',"
        " 'withdrawal', 'erasure')",
        name="kind",
    ),
    CheckConstraint(
        "status IN ('received', 'acknowledged', 'in_progress', 'completed', 'refused',"
        " 'cancelled')",
        name="status",
    ),
    CheckConstraint("channel IN ('api', 'shopper', 'platform')", name="channel"),
)
_NEWEST = (privacy_request.c.received_at, privacy_request.c.id)
_OPEN = privacy_request.c.closed_at.is_(None)
Index("ix_privacy_request_newest", privacy_request.c.tenant_id, *_NEWEST)
Index(
    "ix_privacy_request_customer",
    privacy_request.c.tenant_id,
    privacy_request.c.customer_id,
    *_NEWEST,
)
Index(
    "ix_privacy_request_open",
    privacy_request.c.tenant_id,
    privacy_request.c.due_at,
    privacy_request.c.id,
    postgresql_where=_OPEN,
)
Index(
    "ix_privacy_request_remind",
    privacy_request.c.tenant_id,
    privacy_request.c.remind_at,
    postgresql_where=privacy_request.c.remind_at.is_not(None)
    & privacy_request.c.reminded_at.is_(None)
    & _OPEN,
)
Index(
    "uq_privacy_request_source",
    privacy_request.c.tenant_id,
    privacy_request.c.source_key,
    unique=True,
    postgresql_where=privacy_request.c.source_key.is_not(None),
)

legal_hold = Table(
    "legal_hold",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    Column("reason", Text, nullable=False),
    instant("until", nullable=True),
    Column("placed_by", Text, nullable=False),
    instant("placed_at"),
    Column("released_by", Text),
    instant("released_at", nullable=True),
)
Index(
    "ix_legal_hold_customer",
    legal_hold.c.tenant_id,
    legal_hold.c.customer_id,
    legal_hold.c.placed_at,
    legal_hold.c.id,
)
Index("ix_legal_hold_newest", legal_hold.c.tenant_id, legal_hold.c.placed_at, legal_hold.c.id)

erasure = Table(
    "erasure",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    # What led to it: somebody's request, or a run of the shop's retention rules.
    Column("request_id", Uuid),
    Column("run_id", Uuid),
    Column("customer_id", Uuid, nullable=False),
    Column("customer_ids", JSONB, nullable=False),
    instant("ordered_at"),
    instant("finished_at", nullable=True),
    Column("receipt", JSONB(none_as_null=True)),
    Column("signature", Text),
)
Index("ix_erasure_customer", erasure.c.tenant_id, erasure.c.customer_id)
Index(
    "ix_erasure_run",
    erasure.c.tenant_id,
    erasure.c.run_id,
    erasure.c.id,
    postgresql_where=erasure.c.run_id.is_not(None),
)

erasure_part = Table(
    "erasure_part",
    metadata,
    tenant_column(),
    Column("erasure_id", Uuid, primary_key=True),
    Column("part", Text, primary_key=True),
    instant("confirmed_at"),
    Column("tables", JSONB, nullable=False),
)

data_collection = Table(
    "data_collection",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("request_id", Uuid, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("use", Text, nullable=False),
    Column("job_id", Uuid),
    instant("started_at"),
    instant("finished_at", nullable=True),
    CheckConstraint("use IN ('export', 'preview')", name="use"),
)
Index(
    "ix_data_collection_started",
    data_collection.c.tenant_id,
    data_collection.c.started_at,
    data_collection.c.id,
)
Index("ix_data_collection_customer", data_collection.c.tenant_id, data_collection.c.customer_id)
Index(
    "ix_data_collection_request",
    data_collection.c.tenant_id,
    data_collection.c.request_id,
    data_collection.c.use,
    data_collection.c.started_at,
)

data_piece = Table(
    "data_piece",
    metadata,
    tenant_column(),
    Column("collection_id", Uuid, primary_key=True),
    Column("part", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("last", Boolean, nullable=False),
    Column("tables", JSONB, nullable=False),
)

_PROOF = "shows that the law was kept"
personal(
    privacy_request,
    erase={
        **dict.fromkeys(("details", "outcome", "extension_reason")),
        "identity_check": privacy_request.c.identity_check.delete_path(["note"]),
    },
    kept={"purposes": _PROOF, "files": _PROOF},
    hidden=("source_key",),
)
personal(legal_hold, erase={"reason": ERASED})
personal(
    erasure,
    erase={},
    kept={"customer_ids": _PROOF, "receipt": _PROOF},
    hidden=("signature",),
)
impersonal(erasure_part, "counts")
personal(data_collection, erase={})
personal(
    data_piece, of=belonging_to(data_collection, "collection_id"), erase="row", hidden=("tables",)
)
