"""The installation's directory: which tenant a slug, an e-mail address or a connection is of."""

from sqlalchemy import CheckConstraint, Column, Index, Table, Text, Uuid

from gateway.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal

# `tenant_id` is the installation's own (the nil UUID) in every row, and `points_to` the shop's.
directory = Table(
    "directory",
    metadata,
    tenant_column(),
    Column("kind", Text, primary_key=True),
    Column("lookup", Text, primary_key=True),
    Column("points_to", Uuid, primary_key=True),
    instant("created_at"),
    CheckConstraint("kind IN ('shop', 'staff', 'connection')", name="kind"),
)
# A staff member may work for several shops; a slug and a connection belong to one.
Index(
    "uq_directory_exclusive",
    directory.c.tenant_id,
    directory.c.kind,
    directory.c.lookup,
    unique=True,
    postgresql_where=directory.c.kind != "staff",
)

impersonal(directory, "staff and shops")
