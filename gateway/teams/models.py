"""Tables of the teams slice."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    Table,
    Text,
    Uuid,
)

from gateway.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal

team = Table(
    "team",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("description", Text),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
)
Index("uq_team_name", team.c.tenant_id, team.c.name_key, unique=True)
Index("ix_team_newest", team.c.tenant_id, team.c.created_at, team.c.id)

team_member = Table(
    "team_member",
    metadata,
    tenant_column(),
    Column("team_id", Uuid, primary_key=True),
    Column("staff_id", Uuid, primary_key=True),
    instant("joined_at"),
    ForeignKeyConstraint(
        ["tenant_id", "team_id"], ["gateway.team.tenant_id", "gateway.team.id"], ondelete="CASCADE"
    ),
)
Index("ix_team_member_staff", team_member.c.tenant_id, team_member.c.staff_id)

impersonal(team, "staff")
impersonal(team_member, "staff")
