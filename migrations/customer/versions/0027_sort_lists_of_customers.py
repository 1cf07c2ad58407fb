"""sort lists of customers."""

import sqlalchemy as sa
from alembic import op

from migrations.environment import create_index_online

revision = '0027'
down_revision = '0026'
branch_labels = None
depends_on = None

SORTED = (
    ('last_order_at', 'last_order_at IS NOT NULL'),
    ('last_interaction_at', 'last_interaction_at IS NOT NULL'),
    ('orders_count', 'orders_count > 0'),
    ('total_spent_minor', 'total_spent_minor > 0'),
    ('birth_date', 'birth_date IS NOT NULL'),
)
FILTERED = (
    ('province', 'province IS NOT NULL'),
    ('value_tier', "value_tier <> 'standard'"),
    ('kind', "kind <> 'person'"),
    ('relation', "relation <> 'customer'"),
)


def upgrade() -> None:
    create_index_online(
        'ix_customer_updated', 'customer', ['tenant_id', 'updated_at', 'id'], schema='customer'
    )
    for column, where in SORTED:
        create_index_online(
            f'ix_customer_{column}',
            'customer',
            ['tenant_id', column, 'id'],
            schema='customer',
            postgresql_where=sa.text(where),
        )
    for column, where in FILTERED:
        create_index_online(
            f'ix_customer_{column}_newest',
            'customer',
            ['tenant_id', column, 'created_at', 'id'],
            schema='customer',
            postgresql_where=sa.text(where),
        )


def downgrade() -> None:
    for column, _where in reversed(FILTERED):
        op.drop_index(f'ix_customer_{column}_newest', table_name='customer', schema='customer')
    for column, _where in reversed(SORTED):
        op.drop_index(f'ix_customer_{column}', table_name='customer', schema='customer')
    op.drop_index('ix_customer_updated', table_name='customer', schema='customer')
