"""interactions and notes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.environment import protect

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('interaction',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('direction', sa.Text(), nullable=True),
    sa.Column('channel', sa.Text(), nullable=True),
    sa.Column('staff_id', sa.Uuid(), nullable=True),
    sa.Column('started_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('duration_s', sa.Integer(), nullable=True),
    sa.Column('outcome', sa.Text(), nullable=True),
    sa.Column('text', sa.Text(), nullable=True),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('updated_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("kind IN ('call', 'chat', 'visit', 'email', 'meeting', 'other')", name=op.f('ck_interaction_kind')),
    sa.CheckConstraint("direction IN ('inbound', 'outbound')", name=op.f('ck_interaction_direction')),
    sa.CheckConstraint('duration_s >= 0', name=op.f('ck_interaction_duration')),
    sa.ForeignKeyConstraint(['tenant_id', 'customer_id'], ['customer.customer.tenant_id', 'customer.customer.id'], name=op.f('fk_interaction_tenant_id_customer_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_interaction')),
    schema='customer'
    )
    op.create_index('ix_interaction_newest', 'interaction', ['tenant_id', 'started_at', 'id'], unique=False, schema='customer')
    op.create_index('ix_interaction_customer', 'interaction', ['tenant_id', 'customer_id', 'started_at', 'id'], unique=False, schema='customer')
    op.create_index('ix_interaction_staff', 'interaction', ['tenant_id', 'staff_id', 'started_at', 'id'], unique=False, schema='customer')
    op.create_table('customer_care',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=False),
    sa.Column('last_interaction_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('last_interaction_kind', sa.Text(), nullable=False),
    sa.Column('last_staff_id', sa.Uuid(), nullable=True),
    sa.Column('interactions_count', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'customer_id'], ['customer.customer.tenant_id', 'customer.customer.id'], name=op.f('fk_customer_care_tenant_id_customer_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'customer_id', name=op.f('pk_customer_care')),
    schema='customer'
    )
    op.create_table('note',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('pinned', sa.Boolean(), nullable=False),
    sa.Column('created_by', sa.Uuid(), nullable=True),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('updated_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'customer_id'], ['customer.customer.tenant_id', 'customer.customer.id'], name=op.f('fk_note_tenant_id_customer_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_note')),
    schema='customer'
    )
    op.create_index('ix_note_customer', 'note', ['tenant_id', 'customer_id', 'pinned', 'created_at', 'id'], unique=False, schema='customer')
    protect('customer', 'interaction', 'customer_care', 'note')


def downgrade() -> None:
    for table in ('note', 'customer_care', 'interaction'):
        op.drop_table(table, schema='customer')
