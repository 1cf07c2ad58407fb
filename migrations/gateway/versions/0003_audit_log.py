"""The audit log: its rows are added and read, nothing else."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.environment import protect
from shared.settings import login_role

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('audit_entry',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('part', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('actor_kind', sa.Text(), nullable=False),
    sa.Column('actor_id', sa.Text(), nullable=False),
    sa.Column('request_id', sa.Text(), nullable=True),
    sa.Column('client_ip', sa.Text(), nullable=True),
    sa.Column('user_agent', sa.Text(), nullable=True),
    sa.Column('subjects', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('changes', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('detail', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.CheckConstraint("kind IN ('change', 'read', 'access')", name=op.f('ck_audit_entry_kind')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_audit_entry')),
    schema='gateway'
    )
    op.create_index('ix_audit_entry_action', 'audit_entry', ['tenant_id', 'action', 'at', 'id'], unique=False, schema='gateway')
    op.create_index('ix_audit_entry_actor', 'audit_entry', ['tenant_id', 'actor_id', 'at', 'id'], unique=False, schema='gateway')
    op.create_index('ix_audit_entry_newest', 'audit_entry', ['tenant_id', 'at', 'id'], unique=False, schema='gateway')
    op.create_table('audit_subject',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('object_id', sa.Text(), nullable=False),
    sa.Column('at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('entry_id', sa.Uuid(), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'object_id', 'at', 'entry_id', name=op.f('pk_audit_subject')),
    schema='gateway'
    )
    protect("gateway", "audit_entry", "audit_subject")
    for table in ("audit_entry", "audit_subject"):
        op.execute(f"REVOKE UPDATE, DELETE ON gateway.{table} FROM {login_role('gateway')}")


def downgrade() -> None:
    op.drop_table('audit_subject', schema='gateway')
    op.drop_index('ix_audit_entry_newest', table_name='audit_entry', schema='gateway')
    op.drop_index('ix_audit_entry_actor', table_name='audit_entry', schema='gateway')
    op.drop_index('ix_audit_entry_action', table_name='audit_entry', schema='gateway')
    op.drop_table('audit_entry', schema='gateway')
