"""quality of data."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.environment import protect
from shared.db.protection import tenant_listing

revision = '0040'
down_revision = '0039'
branch_labels = None
depends_on = None

TABLES = ('customer_quality', 'customer_problem', 'quality_tally', 'quality_policy')


def upgrade() -> None:
    op.create_table('customer_quality',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('score', sa.SmallInteger(), nullable=False),
    sa.Column('problems', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('rewritings', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('judged_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.CheckConstraint('score BETWEEN 0 AND 100', name=op.f('ck_customer_quality_score')),
    sa.PrimaryKeyConstraint('tenant_id', 'customer_id', name=op.f('pk_customer_quality')),
    schema='customer'
    )
    op.create_table('customer_problem',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('problem', sa.Text(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'problem', 'customer_id', name=op.f('pk_customer_problem')),
    schema='customer'
    )
    op.create_index('ix_customer_problem_source', 'customer_problem', ['tenant_id', 'problem', 'source', 'customer_id'], unique=False, schema='customer')
    op.create_index('ix_customer_problem_customer', 'customer_problem', ['tenant_id', 'customer_id'], unique=False, schema='customer')
    op.create_table('quality_tally',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('measure', sa.Text(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'source', 'measure', name=op.f('pk_quality_tally')),
    schema='customer'
    )
    op.create_table('quality_policy',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('weights', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('reviewed_on', sa.Date(), nullable=True),
    sa.Column('judged_until', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('updated_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', name=op.f('pk_quality_policy')),
    schema='customer'
    )
    protect('customer', *TABLES)
    for statement in tenant_listing(
        'customer', 'tenants_with_quality', table='value_policy', where='true'
    ):
        op.execute(statement)


def downgrade() -> None:
    op.execute('DROP FUNCTION customer.tenants_with_quality')
    op.execute('DROP POLICY listing_tenants_with_quality ON customer.value_policy')
    for table in reversed(TABLES):
        op.drop_table(table, schema='customer')
