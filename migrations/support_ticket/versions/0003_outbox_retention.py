"""Which tenants' old events are to be forgotten."""

from alembic import op

from migrations.environment import add_retention_listings

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_retention_listings("support_ticket")


def downgrade() -> None:
    op.execute("DROP FUNCTION support_ticket.tenants_with_streams()")
    op.execute("DROP POLICY listing_tenants_with_streams ON support_ticket.stream")
