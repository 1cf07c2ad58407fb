"""retention of personal data."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.environment import protect
from shared.db.protection import tenant_listing

revision = '0045'
down_revision = '0044'
branch_labels = None
depends_on = None

TABLES = ('retention_rule', 'retention_run', 'retention_night', 'retention_exception')


def upgrade() -> None:
    op.create_table('retention_rule',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('clock', sa.Text(), nullable=False),
    sa.Column('period', sa.Text(), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('applies_to', sa.Text(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('preset', sa.Text(), nullable=True),
    sa.Column('looked_until', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('looked_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('created_by', sa.Text(), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('updated_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("action IN ('empty', 'anonymise', 'report')", name=op.f('ck_retention_rule_action')),
    sa.CheckConstraint("applies_to IN ('everybody', 'leads', 'customers')", name=op.f('ck_retention_rule_applies_to')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_retention_rule')),
    schema='customer'
    )
    op.create_index('ix_retention_rule_newest', 'retention_rule', ['tenant_id', 'created_at', 'id'], unique=False, schema='customer')
    op.create_table('retention_run',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('started_by', sa.Text(), nullable=False),
    sa.Column('rules', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('started_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('finished_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("kind IN ('nightly', 'manual', 'dry_run')", name=op.f('ck_retention_run_kind')),
    sa.CheckConstraint("status IN ('running', 'finished', 'cancelled', 'failed')", name=op.f('ck_retention_run_status')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_retention_run')),
    schema='customer'
    )
    op.create_index('ix_retention_run_newest', 'retention_run', ['tenant_id', 'started_at', 'id'], unique=False, schema='customer')
    op.create_index('uq_retention_run_running', 'retention_run', ['tenant_id'], unique=True, schema='customer', postgresql_where=sa.text("finished_at IS NULL AND kind <> 'dry_run'"))
    op.create_table('retention_night',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('begun_on', sa.Date(), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', name=op.f('pk_retention_night')),
    schema='customer'
    )
    op.create_table('retention_exception',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('rule_id', sa.Uuid(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('look_again_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.CheckConstraint("reason IN ('legal_hold', 'privacy_request', 'restriction', 'law', 'not_yet')", name=op.f('ck_retention_exception_reason')),
    sa.PrimaryKeyConstraint('tenant_id', 'rule_id', 'customer_id', name=op.f('pk_retention_exception')),
    schema='customer'
    )
    op.create_index('ix_retention_exception_due', 'retention_exception', ['tenant_id', 'rule_id', 'look_again_at', 'customer_id'], unique=False, schema='customer')
    op.create_index('ix_retention_exception_customer', 'retention_exception', ['tenant_id', 'customer_id'], unique=False, schema='customer')
    # Which run has ended somebody whom nobody had asked to end.
    op.add_column('erasure', sa.Column('run_id', sa.Uuid(), nullable=True), schema='customer')
    protect('customer', *TABLES)
    for statement in tenant_listing(
        'customer', 'tenants_with_retention_rules', table='retention_rule', where='t.active'
    ):
        op.execute(statement)


def downgrade() -> None:
    op.execute('DROP FUNCTION customer.tenants_with_retention_rules')
    op.execute('DROP POLICY listing_tenants_with_retention_rules ON customer.retention_rule')
    op.drop_column('erasure', 'run_id', schema='customer')
    for table in reversed(TABLES):
        op.drop_table(table, schema='customer')
