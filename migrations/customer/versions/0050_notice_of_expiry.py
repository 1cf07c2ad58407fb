"""notice of expiry: how long before, and which points were told of; tiers from before merges."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.environment import protect

revision = '0050'
down_revision = '0049'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        'loyalty_programme', sa.Column('expiry_notice_days', sa.Integer()), schema='customer'
    )
    op.add_column(
        'loyalty_lot',
        sa.Column('expiry_told_at', postgresql.TIMESTAMP(timezone=True)),
        schema='customer',
    )
    op.create_table(
        'loyalty_tier_before',
        sa.Column('tenant_id', sa.Uuid(), nullable=False),
        sa.Column('merge_id', sa.Uuid(), nullable=False),
        sa.Column('customer_id', sa.Uuid(), nullable=False),
        sa.Column('tier_id', sa.Uuid(), nullable=False),
        sa.Column('since', postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column('grace_until', postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint(
            'tenant_id', 'merge_id', 'customer_id', name=op.f('pk_loyalty_tier_before')
        ),
        schema='customer',
    )
    op.create_index(
        'ix_loyalty_tier_before_customer',
        'loyalty_tier_before',
        ['tenant_id', 'customer_id'],
        schema='customer',
    )
    protect('customer', 'loyalty_tier_before')


def downgrade() -> None:
    op.drop_table('loyalty_tier_before', schema='customer')
    op.drop_column('loyalty_lot', 'expiry_told_at', schema='customer')
    op.drop_column('loyalty_programme', 'expiry_notice_days', schema='customer')
