"""work of staff: what tickets tell of it, and who can do what."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.environment import protect

revision = '0044'
down_revision = '0043'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('ticket_fact',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('ticket_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('mark', sa.Text(), nullable=False),
    sa.Column('staff_id', sa.Uuid(), nullable=False),
    sa.Column('at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('seconds', sa.BigInteger(), nullable=True),
    sa.Column('is_late', sa.Boolean(), nullable=True),
    sa.Column('score', sa.Integer(), nullable=True),
    sa.CheckConstraint("kind IN ('given', 'answered', 'resolved', 'rated')", name=op.f('ck_ticket_fact_kind')),
    sa.PrimaryKeyConstraint('tenant_id', 'ticket_id', 'kind', 'mark', name=op.f('pk_ticket_fact')),
    schema='customer'
    )
    op.create_index('ix_ticket_fact_at', 'ticket_fact', ['tenant_id', 'at'], unique=False, schema='customer')
    op.create_table('ticket_owed',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('ticket_id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('staff_id', sa.Uuid(), nullable=True),
    sa.Column('is_open', sa.Boolean(), nullable=False),
    sa.Column('due_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('tenant_id', 'ticket_id', name=op.f('pk_ticket_owed')),
    schema='customer'
    )
    op.create_index('ix_ticket_owed_due', 'ticket_owed', ['tenant_id', 'due_at'], unique=False, schema='customer', postgresql_where=sa.text('is_open'))
    op.create_table('staff_skill',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('staff_id', sa.Uuid(), nullable=False),
    sa.Column('skill', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'staff_id', 'skill', name=op.f('pk_staff_skill')),
    schema='customer'
    )
    op.add_column(
        'assignment_rule',
        sa.Column('skills', postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        schema='customer',
    )
    protect('customer', 'ticket_fact', 'ticket_owed', 'staff_skill')


def downgrade() -> None:
    op.drop_column('assignment_rule', 'skills', schema='customer')
    for table in ('staff_skill', 'ticket_owed', 'ticket_fact'):
        op.drop_table(table, schema='customer')
