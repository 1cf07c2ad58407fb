"""find orders by number."""

from alembic import op

from migrations.environment import create_index_online

revision = '0028'
down_revision = '0027'
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index_online(
        'ix_customer_order_number', 'customer_order', ['tenant_id', 'number'], schema='customer'
    )


def downgrade() -> None:
    op.drop_index('ix_customer_order_number', table_name='customer_order', schema='customer')
