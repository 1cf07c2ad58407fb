"""leads."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.environment import protect

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None

TABLES = ('lead_form', 'lead_form_text', 'lead_submission', 'lead_fingerprint', 'lead', 'touch')


def upgrade() -> None:
    op.create_table('lead_form',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('title', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('intro', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('fields', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('own_fields', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('consents', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('intents', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('default_intent', sa.Text(), nullable=False),
    sa.Column('thank_you', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('allowed_origins', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('redirect_url', sa.Text(), nullable=True),
    sa.Column('follow_up', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('double_opt_in', sa.Boolean(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('updated_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("default_intent IN ('wants_meeting', 'wants_information', 'follows_brand')", name=op.f('ck_lead_form_default_intent')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_lead_form')),
    schema='customer'
    )
    op.create_index('ix_lead_form_newest', 'lead_form', ['tenant_id', 'created_at', 'id'], unique=False, schema='customer')
    op.create_table('lead_form_text',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('form_id', sa.Uuid(), nullable=False),
    sa.Column('purpose', sa.Text(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('text', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.CheckConstraint("channel IN ('email', 'sms', 'zalo', 'call')", name=op.f('ck_lead_form_text_channel')),
    sa.CheckConstraint("purpose IN ('marketing', 'care')", name=op.f('ck_lead_form_text_purpose')),
    sa.ForeignKeyConstraint(['tenant_id', 'form_id'], ['customer.lead_form.tenant_id', 'customer.lead_form.id'], name=op.f('fk_lead_form_text_tenant_id_form_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'form_id', 'purpose', 'channel', 'version', name=op.f('pk_lead_form_text')),
    schema='customer'
    )
    op.create_table('lead_submission',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('form_id', sa.Uuid(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('suspicions', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=True),
    sa.Column('intent', sa.Text(), nullable=False),
    sa.Column('entered', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('consents', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('origin', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('via', sa.Text(), nullable=False),
    sa.Column('language', sa.Text(), nullable=False),
    sa.Column('source_page', sa.Text(), nullable=True),
    sa.Column('client_ip', sa.Text(), nullable=True),
    sa.Column('user_agent', sa.Text(), nullable=True),
    sa.Column('confirmation_sent_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('confirmed_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('received_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('updated_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("(status = 'accepted') = (customer_id IS NOT NULL)", name=op.f('ck_lead_submission_whose')),
    sa.CheckConstraint("intent IN ('wants_meeting', 'wants_information', 'follows_brand')", name=op.f('ck_lead_submission_intent')),
    sa.CheckConstraint("language IN ('vi', 'en')", name=op.f('ck_lead_submission_language')),
    sa.CheckConstraint("status IN ('accepted', 'suspected', 'rejected')", name=op.f('ck_lead_submission_status')),
    sa.CheckConstraint("via IN ('page', 'api')", name=op.f('ck_lead_submission_via')),
    sa.ForeignKeyConstraint(['tenant_id', 'customer_id'], ['customer.customer.tenant_id', 'customer.customer.id'], name=op.f('fk_lead_submission_tenant_id_customer_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'form_id'], ['customer.lead_form.tenant_id', 'customer.lead_form.id'], name=op.f('fk_lead_submission_tenant_id_form_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_lead_submission')),
    schema='customer'
    )
    op.create_index('ix_lead_submission_client_ip', 'lead_submission', ['tenant_id', 'client_ip', 'received_at'], unique=False, schema='customer', postgresql_where=sa.text('client_ip IS NOT NULL'))
    op.create_index('ix_lead_submission_newest', 'lead_submission', ['tenant_id', 'form_id', 'received_at', 'id'], unique=False, schema='customer')
    op.create_table('lead_fingerprint',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('form_id', sa.Uuid(), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('submission_id', sa.Uuid(), nullable=False),
    sa.Column('received_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'form_id', 'digest', name=op.f('pk_lead_fingerprint')),
    schema='customer'
    )
    op.create_table('lead',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=False),
    sa.Column('form_id', sa.Uuid(), nullable=True),
    sa.Column('submission_id', sa.Uuid(), nullable=True),
    sa.Column('intent', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('source_page', sa.Text(), nullable=True),
    sa.Column('captured_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('converted_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('updated_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("intent IN ('wants_meeting', 'wants_information', 'follows_brand')", name=op.f('ck_lead_intent')),
    sa.ForeignKeyConstraint(['tenant_id', 'customer_id'], ['customer.customer.tenant_id', 'customer.customer.id'], name=op.f('fk_lead_tenant_id_customer_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'form_id'], ['customer.lead_form.tenant_id', 'customer.lead_form.id'], name=op.f('fk_lead_tenant_id_form_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_lead')),
    schema='customer'
    )
    op.create_index('ix_lead_form_newest_leads', 'lead', ['tenant_id', 'form_id', 'captured_at', 'id'], unique=False, schema='customer')
    op.create_index('ix_lead_newest', 'lead', ['tenant_id', 'captured_at', 'id'], unique=False, schema='customer')
    op.create_index('uq_lead_customer', 'lead', ['tenant_id', 'customer_id'], unique=True, schema='customer')
    op.create_table('touch',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('medium', sa.Text(), nullable=True),
    sa.Column('campaign', sa.Text(), nullable=True),
    sa.Column('term', sa.Text(), nullable=True),
    sa.Column('content', sa.Text(), nullable=True),
    sa.Column('click_ids', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('referrer', sa.Text(), nullable=True),
    sa.Column('landing_page', sa.Text(), nullable=True),
    sa.Column('form_id', sa.Uuid(), nullable=True),
    sa.Column('occurred_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'customer_id'], ['customer.customer.tenant_id', 'customer.customer.id'], name=op.f('fk_touch_tenant_id_customer_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_touch')),
    schema='customer'
    )
    op.create_index('ix_touch_customer', 'touch', ['tenant_id', 'customer_id', 'occurred_at', 'id'], unique=False, schema='customer')
    protect('customer', *TABLES)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table, schema='customer')
