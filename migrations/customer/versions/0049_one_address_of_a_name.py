"""A source's address is one address of a customer's record."""

import sqlalchemy as sa
from alembic import op

from migrations.environment import create_index_online

revision = '0049'
down_revision = '0048'
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index_online(
        'uq_customer_address_source',
        'customer_address',
        ['tenant_id', 'customer_id', 'source', 'external_id'],
        schema='customer',
        unique=True,
        postgresql_where=sa.text('source IS NOT NULL'),
    )


def downgrade() -> None:
    op.drop_index('uq_customer_address_source', table_name='customer_address', schema='customer')
