"""Which tenants' old events are to be forgotten."""

from alembic import op

from migrations.environment import add_retention_listings

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_retention_listings("gateway")


def downgrade() -> None:
    op.execute("DROP FUNCTION gateway.tenants_with_streams()")
    op.execute("DROP POLICY listing_tenants_with_streams ON gateway.stream")
