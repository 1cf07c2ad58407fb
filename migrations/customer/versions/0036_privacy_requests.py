"""privacy requests, legal holds, erasures; who is restricted and who was erased."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.environment import protect
from shared.db.protection import tenant_listing

revision = '0036'
down_revision = '0035'
branch_labels = None
depends_on = None

TABLES = ('privacy_request', 'legal_hold', 'erasure', 'erasure_part', 'erased_identity', 'data_collection', 'data_piece')


def instant(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, postgresql.TIMESTAMP(timezone=True), nullable=nullable)


def document(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, postgresql.JSONB(none_as_null=nullable, astext_type=sa.Text()), nullable=nullable)


def upgrade() -> None:
    op.add_column('customer', instant('restricted_at', nullable=True), schema='customer')
    op.add_column('customer', instant('erased_at', nullable=True), schema='customer')
    op.create_table('privacy_request',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=True),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('law', sa.Text(), nullable=False),
    document('purposes'),
    sa.Column('with_processor', sa.Boolean(), nullable=False),
    sa.Column('details', sa.Text(), nullable=True),
    document('identity_check', nullable=True),
    instant('received_at'),
    instant('acknowledge_by', nullable=True),
    instant('acknowledged_at', nullable=True),
    instant('due_at'),
    instant('extended_at', nullable=True),
    sa.Column('extension_reason', sa.Text(), nullable=True),
    instant('remind_at', nullable=True),
    instant('reminded_at', nullable=True),
    instant('closed_at', nullable=True),
    sa.Column('outcome', sa.Text(), nullable=True),
    sa.Column('source_key', sa.Text(), nullable=True),
    sa.Column('job_id', sa.Uuid(), nullable=True),
    sa.Column('erasure_id', sa.Uuid(), nullable=True),
    sa.Column('opened_by', sa.Text(), nullable=False),
    instant('created_at'),
    instant('updated_at'),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("kind IN ('access', 'portability', 'rectification', 'restriction', 'objection', 'withdrawal', 'erasure')", name=op.f('ck_privacy_request_kind')),
    sa.CheckConstraint("status IN ('received', 'acknowledged', 'in_progress', 'completed', 'refused', 'cancelled')", name=op.f('ck_privacy_request_status')),
    sa.CheckConstraint("channel IN ('api', 'shopper', 'platform')", name=op.f('ck_privacy_request_channel')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_privacy_request')),
    schema='customer'
    )
    op.create_index('ix_privacy_request_newest', 'privacy_request', ['tenant_id', 'received_at', 'id'], schema='customer')
    op.create_index('ix_privacy_request_customer', 'privacy_request', ['tenant_id', 'customer_id', 'received_at', 'id'], schema='customer')
    op.create_index('ix_privacy_request_open', 'privacy_request', ['tenant_id', 'due_at', 'id'], schema='customer', postgresql_where=sa.text('closed_at IS NULL'))
    op.create_index('ix_privacy_request_remind', 'privacy_request', ['tenant_id', 'remind_at'], schema='customer', postgresql_where=sa.text('remind_at IS NOT NULL AND reminded_at IS NULL AND closed_at IS NULL'))
    op.create_index('uq_privacy_request_source', 'privacy_request', ['tenant_id', 'source_key'], unique=True, schema='customer', postgresql_where=sa.text('source_key IS NOT NULL'))
    op.create_table('legal_hold',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    instant('until', nullable=True),
    sa.Column('placed_by', sa.Text(), nullable=False),
    instant('placed_at'),
    sa.Column('released_by', sa.Text(), nullable=True),
    instant('released_at', nullable=True),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_legal_hold')),
    schema='customer'
    )
    op.create_index('ix_legal_hold_customer', 'legal_hold', ['tenant_id', 'customer_id', 'placed_at', 'id'], schema='customer')
    op.create_index('ix_legal_hold_newest', 'legal_hold', ['tenant_id', 'placed_at', 'id'], schema='customer')
    op.create_table('erasure',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('request_id', sa.Uuid(), nullable=True),
    sa.Column('customer_id', sa.Uuid(), nullable=False),
    document('customer_ids'),
    instant('ordered_at'),
    instant('finished_at', nullable=True),
    document('receipt', nullable=True),
    sa.Column('signature', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_erasure')),
    schema='customer'
    )
    op.create_index('ix_erasure_customer', 'erasure', ['tenant_id', 'customer_id'], schema='customer')
    op.create_table('erasure_part',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('erasure_id', sa.Uuid(), nullable=False),
    sa.Column('part', sa.Text(), nullable=False),
    instant('confirmed_at'),
    document('tables'),
    sa.PrimaryKeyConstraint('tenant_id', 'erasure_id', 'part', name=op.f('pk_erasure_part')),
    schema='customer'
    )
    op.create_table('erased_identity',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=False),
    instant('erased_at'),
    sa.PrimaryKeyConstraint('tenant_id', 'digest', name=op.f('pk_erased_identity')),
    schema='customer'
    )
    op.create_index('ix_erased_identity_customer', 'erased_identity', ['tenant_id', 'customer_id'], schema='customer')
    op.create_table('data_collection',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('request_id', sa.Uuid(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=False),
    sa.Column('use', sa.Text(), nullable=False),
    sa.Column('job_id', sa.Uuid(), nullable=True),
    instant('started_at'),
    instant('finished_at', nullable=True),
    sa.CheckConstraint("use IN ('export', 'preview')", name=op.f('ck_data_collection_use')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_data_collection')),
    schema='customer'
    )
    op.create_index('ix_data_collection_customer', 'data_collection', ['tenant_id', 'customer_id'], schema='customer')
    op.create_index('ix_data_collection_request', 'data_collection', ['tenant_id', 'request_id', 'use', 'started_at'], schema='customer')
    op.create_table('data_piece',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('collection_id', sa.Uuid(), nullable=False),
    sa.Column('part', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('last', sa.Boolean(), nullable=False),
    document('tables'),
    sa.PrimaryKeyConstraint('tenant_id', 'collection_id', 'part', 'number', name=op.f('pk_data_piece')),
    schema='customer'
    )
    protect('customer', *TABLES)
    for statement in tenant_listing(
        'customer',
        'tenants_with_privacy_reminders',
        table='privacy_request',
        where='t.remind_at IS NOT NULL AND t.reminded_at IS NULL AND t.closed_at IS NULL',
    ):
        op.execute(statement)


def downgrade() -> None:
    op.execute('DROP FUNCTION customer.tenants_with_privacy_reminders()')
    for table in reversed(TABLES):
        op.drop_table(table, schema='customer')
    op.drop_column('customer', 'erased_at', schema='customer')
    op.drop_column('customer', 'restricted_at', schema='customer')
