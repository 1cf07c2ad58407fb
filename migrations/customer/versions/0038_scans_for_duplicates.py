"""scans for duplicates."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.environment import protect
from shared.db.protection import tenant_listing

revision = '0038'
down_revision = '0037'
branch_labels = None
depends_on = None

TABLES = (
    'duplicate_scan', 'duplicate_scan_person', 'duplicate_scan_key', 'duplicate_scan_pair', 'duplicate_policy'
)
LISTINGS = (
    ('tenants_with_nightly_scans', 'duplicate_policy', 't.nightly'),
    ('tenants_with_scan_remains', 'duplicate_scan', "t.has_remains AND t.status <> 'running'"),
)


def upgrade() -> None:
    op.create_table('duplicate_scan',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('mode', sa.Text(), nullable=False),
    sa.Column('min_score', sa.SmallInteger(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('changed_since', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('customers', sa.BigInteger(), nullable=False),
    sa.Column('comparisons', sa.BigInteger(), nullable=False),
    sa.Column('pairs', sa.BigInteger(), nullable=False),
    sa.Column('new_pairs', sa.BigInteger(), nullable=False),
    sa.Column('skipped', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('has_remains', sa.Boolean(), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('updated_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('finished_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.CheckConstraint("mode IN ('full', 'changed')", name=op.f('ck_duplicate_scan_mode')),
    sa.CheckConstraint("status IN ('running', 'succeeded', 'failed', 'cancelled')", name=op.f('ck_duplicate_scan_status')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_duplicate_scan')),
    schema='customer'
    )
    op.create_index('uq_duplicate_scan_running', 'duplicate_scan', ['tenant_id'], unique=True, schema='customer', postgresql_where=sa.text("status = 'running'"))
    op.create_index('ix_duplicate_scan_newest', 'duplicate_scan', ['tenant_id', 'created_at', 'id'], unique=False, schema='customer')
    op.create_index('ix_duplicate_scan_remains', 'duplicate_scan', ['tenant_id'], unique=False, schema='customer', postgresql_where=sa.text("has_remains AND status <> 'running'"))
    op.create_table('duplicate_scan_person',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('scan_id', sa.Uuid(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=False),
    sa.Column('person', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('is_changed', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'scan_id', 'customer_id', name=op.f('pk_duplicate_scan_person')),
    schema='customer'
    )
    op.create_table('duplicate_scan_key',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('scan_id', sa.Uuid(), nullable=False),
    sa.Column('block', sa.BigInteger(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.SmallInteger(), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'scan_id', 'block', 'customer_id', name=op.f('pk_duplicate_scan_key')),
    schema='customer'
    )
    op.create_table('duplicate_scan_pair',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('scan_id', sa.Uuid(), nullable=False),
    sa.Column('older_id', sa.Uuid(), nullable=False),
    sa.Column('newer_id', sa.Uuid(), nullable=False),
    sa.Column('score', sa.SmallInteger(), nullable=False),
    sa.Column('reasons', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'scan_id', 'older_id', 'newer_id', name=op.f('pk_duplicate_scan_pair')),
    schema='customer'
    )
    op.create_table('duplicate_policy',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('nightly', sa.Boolean(), nullable=False),
    sa.Column('min_score', sa.SmallInteger(), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('updated_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint('min_score BETWEEN 20 AND 99', name=op.f('ck_duplicate_policy_min_score')),
    sa.PrimaryKeyConstraint('tenant_id', name=op.f('pk_duplicate_policy')),
    schema='customer'
    )
    op.create_index('ix_duplicate_policy_nightly', 'duplicate_policy', ['tenant_id'], unique=False, schema='customer', postgresql_where=sa.text('nightly'))
    protect('customer', *TABLES)
    for function, table, where in LISTINGS:
        for statement in tenant_listing('customer', function, table=table, where=where):
            op.execute(statement)


def downgrade() -> None:
    for function, _table, _where in LISTINGS:
        op.execute(f'DROP FUNCTION customer.{function}')
    for table in reversed(TABLES):
        op.drop_table(table, schema='customer')
