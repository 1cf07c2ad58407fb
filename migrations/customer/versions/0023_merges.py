"""merges."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.environment import protect, widen_check
from services.customer.customers.search_function import search_function

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('customer_merge',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('survivor_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('merged_ids', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('actor_kind', sa.Text(), nullable=False),
    sa.Column('actor_id', sa.Text(), nullable=False),
    sa.Column('taken', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('tags_added', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('outcome', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('answered_ids', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('undone_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('undone_by', sa.Text(), nullable=True),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("status IN ('done', 'undone')", name=op.f('ck_customer_merge_status')),
    sa.ForeignKeyConstraint(['tenant_id', 'survivor_id'], ['customer.customer.tenant_id', 'customer.customer.id'], name=op.f('fk_customer_merge_tenant_id_survivor_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_customer_merge')),
    schema='customer'
    )
    op.create_index('ix_customer_merge_survivor', 'customer_merge', ['tenant_id', 'survivor_id', 'id'], unique=False, schema='customer')
    op.create_table('customer_merge_record',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('merge_id', sa.Uuid(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=False),
    sa.Column('stays', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'customer_id'], ['customer.customer.tenant_id', 'customer.customer.id'], name=op.f('fk_customer_merge_record_tenant_id_customer_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'merge_id'], ['customer.customer_merge.tenant_id', 'customer.customer_merge.id'], name=op.f('fk_customer_merge_record_tenant_id_merge_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'merge_id', 'customer_id', name=op.f('pk_customer_merge_record')),
    schema='customer'
    )
    op.create_index('ix_customer_merge_record_customer', 'customer_merge_record', ['tenant_id', 'customer_id', 'merge_id'], unique=False, schema='customer')
    protect('customer', 'customer_merge', 'customer_merge_record')
    op.add_column('duplicate_candidate', sa.Column('merge_id', sa.Uuid(), nullable=True), schema='customer')
    widen_check(
        op.f('ck_duplicate_candidate_status'),
        'duplicate_candidate',
        "status IN ('open', 'dismissed', 'merged')",
        schema='customer',
    )
    # Those who were merged are not found any more.
    for statement in search_function(by_owner=True):
        op.execute(statement)


def downgrade() -> None:
    op.drop_constraint(op.f('ck_duplicate_candidate_status'), 'duplicate_candidate', schema='customer', type_='check')
    op.create_check_constraint(
        op.f('ck_duplicate_candidate_status'),
        'duplicate_candidate',
        "status IN ('open', 'dismissed')",
        schema='customer', postgresql_not_valid=True,
    )
    op.drop_column('duplicate_candidate', 'merge_id', schema='customer')
    for table in ('customer_merge_record', 'customer_merge'):
        op.drop_table(table, schema='customer')
