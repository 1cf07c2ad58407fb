"""Addresses that platforms tell of, and those of them that were removed here."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.environment import protect

revision = '0048'
down_revision = '0047'
branch_labels = None
depends_on = None

TEXTS = ('recipient_phone', 'company', 'city', 'source', 'external_id', 'told', 'corrected_by')
TIMES = ('told_at', 'corrected_at')


def upgrade() -> None:
    for name in TEXTS:
        op.add_column('customer_address', sa.Column(name, sa.Text(), nullable=True), schema='customer')
    for name in TIMES:
        op.add_column('customer_address', sa.Column(name, postgresql.TIMESTAMP(timezone=True), nullable=True), schema='customer')
    op.create_table('removed_address',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('external_id', sa.Text(), nullable=False),
    sa.Column('told', sa.Text(), nullable=False),
    sa.Column('removed_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'customer_id', 'source', 'external_id', name=op.f('pk_removed_address')),
    schema='customer'
    )
    protect('customer', 'removed_address')


def downgrade() -> None:
    op.drop_table('removed_address', schema='customer')
    for name in (*TIMES, *TEXTS):
        op.drop_column('customer_address', name, schema='customer')
