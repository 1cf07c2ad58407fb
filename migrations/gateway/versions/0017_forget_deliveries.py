"""Since when a delivery has no body any more, and which shops have some to be forgotten."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.db.protection import tenant_listing

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None

LISTING = 'tenants_with_deliveries_to_forget'
# The shortest times that can be set. A shop has few connections; each shop costs two probes.
OLD = """(
    EXISTS (SELECT FROM gateway.delivery d WHERE d.tenant_id = t.tenant_id
            AND d.forgotten_at IS NULL AND d.status IN ('failed', 'ignored')
            AND d.received_at < now() - interval '14 days')
    OR EXISTS (SELECT FROM gateway.delivery d WHERE d.tenant_id = t.tenant_id
               AND d.forgotten_at IS NULL AND d.status = 'processed'
               AND d.received_at < now() - interval '30 days'))"""


def upgrade() -> None:
    op.add_column(
        'delivery', sa.Column('forgotten_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
        schema='gateway',
    )
    for statement in tenant_listing('gateway', LISTING, table='connection', where=OLD):
        op.execute(statement)


def downgrade() -> None:
    op.execute(f'DROP FUNCTION gateway.{LISTING}()')
    op.execute(f'DROP POLICY listing_{LISTING} ON gateway.connection')
    op.drop_column('delivery', 'forgotten_at', schema='gateway')
