"""Find the deliveries of a kind that still have their body, the oldest first."""

import sqlalchemy as sa
from alembic import op

from migrations.environment import create_index_online

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index_online(
        'ix_delivery_unforgotten',
        'delivery',
        ['tenant_id', 'status', 'received_at', 'id'],
        schema='gateway',
        postgresql_where=sa.text('forgotten_at IS NULL'),
    )


def downgrade() -> None:
    op.drop_index('ix_delivery_unforgotten', table_name='delivery', schema='gateway')
