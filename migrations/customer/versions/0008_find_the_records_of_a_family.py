"""find the records of a family."""

import sqlalchemy as sa
from alembic import op

from migrations.environment import create_index_online

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index_online(
        'ix_customer_merged_into',
        'customer',
        ['tenant_id', 'merged_into'],
        schema='customer',
        postgresql_where=sa.text('merged_into IS NOT NULL'),
    )


def downgrade() -> None:
    op.drop_index('ix_customer_merged_into', table_name='customer', schema='customer')
