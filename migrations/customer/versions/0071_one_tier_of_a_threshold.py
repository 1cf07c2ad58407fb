"""Let a tier have the threshold of one that is no more."""

import sqlalchemy as sa
from alembic import op

from migrations.environment import create_index_online, drop_index_online

revision = '0071'
down_revision = '0070'
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index_online(
        'uq_loyalty_tier_current',
        'loyalty_tier',
        ['tenant_id', 'threshold'],
        schema='customer',
        unique=True,
        postgresql_where=sa.text('removed_at IS NULL'),
    )
    drop_index_online('uq_loyalty_tier_threshold', 'loyalty_tier', schema='customer')


def downgrade() -> None:
    op.execute('DELETE FROM customer.loyalty_tier WHERE removed_at IS NOT NULL')
    op.create_index(
        'uq_loyalty_tier_threshold',
        'loyalty_tier',
        ['tenant_id', 'threshold'],
        unique=True,
        schema='customer',
    )
    op.drop_index('uq_loyalty_tier_current', table_name='loyalty_tier', schema='customer')
