"""Let a tier have the threshold of one that is no more."""

import sqlalchemy as sa
from alembic import op

from migrations.environment import create_index_online, drop_index_online, for_every_tenant

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
    with for_every_tenant('loyalty_tier', schema='customer'):
        # Of those with the threshold of another one; there was but one before.
        op.execute(
            'DELETE FROM customer.loyalty_tier one WHERE one.removed_at IS NOT NULL AND EXISTS ('
            'SELECT 1 FROM customer.loyalty_tier other WHERE other.tenant_id = one.tenant_id '
            'AND other.threshold = one.threshold AND other.id <> one.id '
            'AND (other.removed_at IS NULL OR other.id > one.id))'
        )
    op.create_index(
        'uq_loyalty_tier_threshold',
        'loyalty_tier',
        ['tenant_id', 'threshold'],
        unique=True,
        schema='customer',
    )
    op.drop_index('uq_loyalty_tier_current', table_name='loyalty_tier', schema='customer')
