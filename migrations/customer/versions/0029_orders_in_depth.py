"""orders in depth."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.environment import protect

revision = '0029'
down_revision = '0028'
branch_labels = None
depends_on = None

INSTANT = postgresql.TIMESTAMP(timezone=True)
PARTS = ('order_payment', 'order_refund', 'order_return', 'order_fulfillment')

def _columns_of_orders() -> list[sa.Column]:
    return [
        sa.Column('staff', sa.Text(), nullable=True),
        sa.Column('cancelled_at', INSTANT, nullable=True),
        sa.Column('cancel_reason', sa.Text(), nullable=True),
        sa.Column('details', postgresql.JSONB(), nullable=True),
        sa.Column('told_financial_status', sa.Text(), nullable=True),
        sa.Column('told_refunded_minor', sa.BigInteger(), nullable=True),
        sa.Column('has_parts', sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column('paid_minor', sa.BigInteger(), server_default='0', nullable=False),
        sa.Column('refunds_minor', sa.BigInteger(), server_default='0', nullable=False),
        sa.Column('returns_count', sa.BigInteger(), server_default='0', nullable=False),
        sa.Column('paid_at', INSTANT, nullable=True),
        sa.Column('shipped_at', INSTANT, nullable=True),
        sa.Column('delivered_at', INSTANT, nullable=True),
    ]


def _columns_of_lines() -> list[sa.Column]:
    return [
        sa.Column('discount_minor', sa.BigInteger(), nullable=True),
        sa.Column('tax_minor', sa.BigInteger(), nullable=True),
        sa.Column('category', sa.Text(), nullable=True),
        sa.Column('vendor', sa.Text(), nullable=True),
    ]


def upgrade() -> None:
    for column in _columns_of_orders():
        op.add_column('customer_order', column, schema='customer')
    for column in _columns_of_lines():
        op.add_column('order_line', column, schema='customer')
    _part(
        'order_payment',
        sa.Column('method', sa.Text(), nullable=True),
        sa.Column('status', sa.Text(), nullable=False),
        sa.Column('amount_minor', sa.BigInteger(), nullable=False),
        sa.Column('reference', sa.Text(), nullable=True),
        sa.Column('paid_at', INSTANT, nullable=True),
        sa.CheckConstraint("status IN ('pending', 'authorized', 'paid', 'failed', 'voided')", name=op.f('ck_order_payment_status')),
    )
    _part(
        'order_refund',
        sa.Column('amount_minor', sa.BigInteger(), nullable=False),
        sa.Column('reason', sa.Text(), nullable=True),
        sa.Column('lines', postgresql.JSONB(), nullable=False),
        sa.Column('refunded_at', INSTANT, nullable=False),
    )
    _part(
        'order_return',
        sa.Column('status', sa.Text(), nullable=False),
        sa.Column('reason', sa.Text(), nullable=True),
        sa.Column('lines', postgresql.JSONB(), nullable=False),
        sa.Column('restock', sa.Boolean(), nullable=True),
        sa.Column('requested_at', INSTANT, nullable=False),
        sa.Column('received_at', INSTANT, nullable=True),
        sa.CheckConstraint("status IN ('requested', 'received', 'refused')", name=op.f('ck_order_return_status')),
    )
    _part(
        'order_fulfillment',
        sa.Column('status', sa.Text(), nullable=False),
        sa.Column('carrier', sa.Text(), nullable=True),
        sa.Column('tracking_number', sa.Text(), nullable=True),
        sa.Column('tracking_url', sa.Text(), nullable=True),
        sa.Column('lines', postgresql.JSONB(), nullable=False),
        sa.Column('shipped_at', INSTANT, nullable=True),
        sa.Column('delivered_at', INSTANT, nullable=True),
        sa.CheckConstraint("status IN ('pending', 'shipped', 'delivered', 'failed', 'cancelled')", name=op.f('ck_order_fulfillment_status')),
    )
    protect('customer', *PARTS)


def _part(name: str, *columns: sa.Column | sa.CheckConstraint) -> None:
    op.create_table(
        name,
        sa.Column('tenant_id', sa.Uuid(), nullable=False),
        sa.Column('order_id', sa.Uuid(), nullable=False),
        sa.Column('external_id', sa.Text(), nullable=False),
        sa.Column('id', sa.Uuid(), nullable=False),
        *columns,
        sa.Column('changed_at', INSTANT, nullable=False),
        sa.Column('created_at', INSTANT, nullable=False),
        sa.Column('updated_at', INSTANT, nullable=False),
        sa.Column('version', sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(['tenant_id', 'order_id'], ['customer.customer_order.tenant_id', 'customer.customer_order.id'], name=op.f(f'fk_{name}_tenant_id_order_id')),
        sa.PrimaryKeyConstraint('tenant_id', 'order_id', 'external_id', name=op.f(f'pk_{name}')),
        schema='customer',
    )


def downgrade() -> None:
    for name in reversed(PARTS):
        op.drop_table(name, schema='customer')
    for column in reversed(_columns_of_lines()):
        op.drop_column('order_line', column.name, schema='customer')
    for column in reversed(_columns_of_orders()):
        op.drop_column('customer_order', column.name, schema='customer')
