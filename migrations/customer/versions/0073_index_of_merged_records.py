"""An index of what merged records are found by."""

import sqlalchemy as sa
from alembic import op

from migrations.environment import create_index_online

revision = '0073'
down_revision = '0072'
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index_online(
        'ix_customer_search_key_merged',
        'customer',
        ['tenant_id', 'search_key'],
        schema='customer',
        postgresql_using='gin',
        postgresql_ops={'tenant_id': 'public.uuid_ops', 'search_key': 'public.gin_trgm_ops'},
        postgresql_where=sa.text('merged_into IS NOT NULL'),
    )


def downgrade() -> None:
    op.drop_index('ix_customer_search_key_merged', table_name='customer', schema='customer')
