"""Which shops have sessions, some of which may be old."""

from alembic import op

from shared.db.protection import tenant_listing

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in tenant_listing(
        "gateway", "tenants_with_sessions", table="session", where="true"
    ):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP FUNCTION gateway.tenants_with_sessions()")
    op.execute("DROP POLICY listing_tenants_with_sessions ON gateway.session")
