"""evidence of consents, and the wordings that people agree to."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.environment import protect, widen_check
from shared.settings import login_role

revision = '0032'
down_revision = '0031'
branch_labels = None
depends_on = None

ROLE = login_role('customer')


def upgrade() -> None:
    op.add_column('consent_record', sa.Column('legal_basis', sa.Text(), nullable=False, server_default=sa.text("'consent'")), schema='customer')
    op.add_column('consent_record', sa.Column('act', sa.Text(), nullable=True), schema='customer')
    op.add_column('consent_record', sa.Column('text_id', sa.Uuid(), nullable=True), schema='customer')
    op.add_column('consent_record', sa.Column('text_digest', sa.Text(), nullable=True), schema='customer')
    op.add_column('consent_record', sa.Column('frequency', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True), schema='customer')
    op.add_column('consent_record', sa.Column('expires_at', postgresql.TIMESTAMP(timezone=True), nullable=True), schema='customer')
    op.add_column('consent_record', sa.Column('confirmed_at', postgresql.TIMESTAMP(timezone=True), nullable=True), schema='customer')
    op.add_column('consent_record', sa.Column('actor_kind', sa.Text(), nullable=True), schema='customer')
    op.add_column('consent_record', sa.Column('actor_id', sa.Text(), nullable=True), schema='customer')
    op.add_column('consent_record', sa.Column('client_ip', sa.Text(), nullable=True), schema='customer')
    op.add_column('consent_record', sa.Column('user_agent', sa.Text(), nullable=True), schema='customer')
    op.add_column('consent_record', sa.Column('evidence_digest', sa.Text(), nullable=True), schema='customer')
    widen_check(op.f('ck_consent_record_purpose'), 'consent_record', "purpose IN ('marketing', 'care', 'profiling', 'sharing')", schema='customer')
    widen_check(op.f('ck_consent_record_channel'), 'consent_record', "channel IN ('email', 'sms', 'zalo', 'call', 'any')", schema='customer')
    op.create_table('consent_text',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('language', sa.Text(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('purpose', sa.Text(), nullable=False),
    sa.Column('channels', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('content', sa.Text(), nullable=True),
    sa.Column('method', sa.Text(), nullable=True),
    sa.Column('form', sa.Text(), nullable=True),
    sa.Column('frequency', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_consent_text')),
    sa.UniqueConstraint('tenant_id', 'key', 'language', 'version', name=op.f('uq_consent_text_tenant_id_key_language_version')),
    schema='customer'
    )
    op.create_index('ix_consent_text_newest', 'consent_text', ['tenant_id', 'created_at', 'id'], unique=False, schema='customer')
    protect('customer', 'consent_text')
    op.execute(f'REVOKE UPDATE, DELETE ON customer.consent_text FROM {ROLE}')


def downgrade() -> None:
    op.drop_table('consent_text', schema='customer')
    for column in ('evidence_digest', 'user_agent', 'client_ip', 'actor_id', 'actor_kind', 'confirmed_at', 'expires_at', 'frequency', 'text_digest', 'text_id', 'act', 'legal_basis'):
        op.drop_column('consent_record', column, schema='customer')
