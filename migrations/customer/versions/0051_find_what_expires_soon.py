"""Find the points that expire soon and of which nobody was told."""

import sqlalchemy as sa
from alembic import op

from migrations.environment import create_index_online

revision = '0051'
down_revision = '0050'
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index_online(
        'ix_loyalty_lot_untold',
        'loyalty_lot',
        ['tenant_id', 'expires_at'],
        schema='customer',
        postgresql_where=sa.text(
            'remaining > 0 AND matured_at IS NOT NULL AND expiry_told_at IS NULL'
        ),
    )


def downgrade() -> None:
    op.drop_index('ix_loyalty_lot_untold', table_name='loyalty_lot', schema='customer')
