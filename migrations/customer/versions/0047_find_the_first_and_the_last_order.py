"""find the first and the last order."""

import sqlalchemy as sa
from alembic import op

from migrations.environment import create_index_online

revision = '0047'
down_revision = '0046'
branch_labels = None
depends_on = None

COUNTED = "status <> 'cancelled' AND financial_status <> 'voided' AND deleted_at IS NULL"


def upgrade() -> None:
    create_index_online(
        'ix_customer_order_counted',
        'customer_order',
        ['tenant_id', 'customer_id', 'placed_at', 'currency'],
        schema='customer',
        postgresql_where=sa.text(COUNTED),
    )


def downgrade() -> None:
    op.drop_index('ix_customer_order_counted', table_name='customer_order', schema='customer')
