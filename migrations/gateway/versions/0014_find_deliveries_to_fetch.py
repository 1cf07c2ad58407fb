"""Find the deliveries whose objects are to be fetched now."""

import sqlalchemy as sa
from alembic import op

from migrations.environment import create_index_online

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index_online(
        'ix_delivery_fetching',
        'delivery',
        ['tenant_id', 'fetch_at', 'id'],
        schema='gateway',
        postgresql_where=sa.text("status = 'fetching'"),
    )


def downgrade() -> None:
    op.drop_index('ix_delivery_fetching', table_name='delivery', schema='gateway')
