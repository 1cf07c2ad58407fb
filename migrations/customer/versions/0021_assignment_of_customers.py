"""assignment of customers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.environment import protect

revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('assignment_rule',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('conditions', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('strategy', sa.Text(), nullable=False),
    sa.Column('staff_ids', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('on_shift_only', sa.Boolean(), nullable=False),
    sa.Column('last_staff_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('updated_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("strategy IN ('round_robin', 'least_load', 'fixed')", name=op.f('ck_assignment_rule_strategy')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_assignment_rule')),
    schema='customer'
    )
    op.create_index('ix_assignment_rule_position', 'assignment_rule', ['tenant_id', 'position', 'id'], unique=False, schema='customer')
    op.create_table('working_shift',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('staff_id', sa.Uuid(), nullable=False),
    sa.Column('weekday', sa.SmallInteger(), nullable=False),
    sa.Column('starts_minute', sa.SmallInteger(), nullable=False),
    sa.Column('ends_minute', sa.SmallInteger(), nullable=False),
    sa.CheckConstraint('weekday BETWEEN 1 AND 7', name=op.f('ck_working_shift_weekday')),
    sa.CheckConstraint('0 <= starts_minute AND starts_minute < ends_minute AND ends_minute <= 1440', name=op.f('ck_working_shift_period')),
    sa.PrimaryKeyConstraint('tenant_id', 'staff_id', 'weekday', 'starts_minute', name=op.f('pk_working_shift')),
    schema='customer'
    )
    op.create_table('assignment_log',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=False),
    sa.Column('from_owner_id', sa.Uuid(), nullable=True),
    sa.Column('to_owner_id', sa.Uuid(), nullable=False),
    sa.Column('rule_id', sa.Uuid(), nullable=True),
    sa.Column('job_id', sa.Uuid(), nullable=True),
    sa.Column('explanation', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('assigned_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'customer_id'], ['customer.customer.tenant_id', 'customer.customer.id'], name=op.f('fk_assignment_log_tenant_id_customer_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_assignment_log')),
    schema='customer'
    )
    op.create_index('ix_assignment_log_newest', 'assignment_log', ['tenant_id', 'assigned_at', 'id'], unique=False, schema='customer')
    op.create_index('ix_assignment_log_customer', 'assignment_log', ['tenant_id', 'customer_id', 'assigned_at', 'id'], unique=False, schema='customer')
    protect('customer', 'assignment_rule', 'working_shift', 'assignment_log')


def downgrade() -> None:
    for table in ('assignment_log', 'working_shift', 'assignment_rule'):
        op.drop_table(table, schema='customer')
