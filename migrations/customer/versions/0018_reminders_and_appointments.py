"""reminders and appointments."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.environment import protect
from shared.db.protection import tenant_listing

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None

LISTINGS = (
    (
        'tenants_with_task_reminders',
        'task',
        "t.status = 'open' AND t.reminder_at IS NOT NULL AND t.reminded_at IS NULL"
        ' AND t.reminder_at <= now()',
    ),
    (
        'tenants_with_appointment_reminders',
        'appointment',
        "t.status = 'planned' AND t.reminder_at IS NOT NULL AND t.reminded_at IS NULL"
        ' AND t.reminder_at <= now()',
    ),
)


def upgrade() -> None:
    op.add_column('task', sa.Column('priority', sa.SmallInteger(), server_default=sa.text('1'), nullable=False), schema='customer')
    op.add_column('task', sa.Column('reminder_at', postgresql.TIMESTAMP(timezone=True), nullable=True), schema='customer')
    op.add_column('task', sa.Column('reminded_at', postgresql.TIMESTAMP(timezone=True), nullable=True), schema='customer')
    op.add_column('task', sa.Column('result_code', sa.Text(), nullable=True), schema='customer')
    op.execute('ALTER TABLE customer.task ADD CONSTRAINT ck_task_priority CHECK (priority BETWEEN 0 AND 3) NOT VALID')
    op.create_table('appointment',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=False),
    sa.Column('staff_id', sa.Uuid(), nullable=True),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('place', sa.Text(), nullable=True),
    sa.Column('note', sa.Text(), nullable=True),
    sa.Column('starts_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('ends_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('overbooked', sa.Boolean(), nullable=False),
    sa.Column('remind_minutes', sa.Integer(), nullable=True),
    sa.Column('reminder_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('reminded_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('created_by', sa.Uuid(), nullable=True),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('updated_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("status IN ('planned', 'kept', 'missed', 'cancelled')", name=op.f('ck_appointment_status')),
    sa.CheckConstraint('starts_at < ends_at', name=op.f('ck_appointment_period')),
    sa.ForeignKeyConstraint(['tenant_id', 'customer_id'], ['customer.customer.tenant_id', 'customer.customer.id'], name=op.f('fk_appointment_tenant_id_customer_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_appointment')),
    schema='customer'
    )
    op.create_index('ix_appointment_coming', 'appointment', ['tenant_id', 'starts_at', 'id'], unique=False, schema='customer')
    op.create_index('ix_appointment_customer', 'appointment', ['tenant_id', 'customer_id', 'starts_at', 'id'], unique=False, schema='customer')
    op.create_index('ix_appointment_staff', 'appointment', ['tenant_id', 'staff_id', 'starts_at', 'id'], unique=False, schema='customer')
    op.create_index('ix_appointment_reminder', 'appointment', ['tenant_id', 'reminder_at'], unique=False, schema='customer', postgresql_where=sa.text("status = 'planned' AND reminder_at IS NOT NULL AND reminded_at IS NULL"))
    op.create_table('calendar_feed',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('staff_id', sa.Uuid(), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'staff_id', name=op.f('pk_calendar_feed')),
    schema='customer'
    )
    op.create_index('uq_calendar_feed_digest', 'calendar_feed', ['tenant_id', 'digest'], unique=True, schema='customer')
    protect('customer', 'appointment', 'calendar_feed')
    for function, table, where in LISTINGS:
        for statement in tenant_listing('customer', function, table=table, where=where):
            op.execute(statement)


def downgrade() -> None:
    for function, table, _where in LISTINGS:
        op.execute(f'DROP FUNCTION customer.{function}()')
        op.execute(f'DROP POLICY listing_{function} ON customer.{table}')
    for table in ('calendar_feed', 'appointment'):
        op.drop_table(table, schema='customer')
    for column in ('result_code', 'reminded_at', 'reminder_at', 'priority'):
        op.drop_column('task', column, schema='customer')
