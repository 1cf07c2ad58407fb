"""custom fields."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.environment import protect

revision = '0025'
down_revision = '0024'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('custom_field',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('label', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('description', sa.Text(), nullable=True),
    sa.Column('options', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('currency', sa.Text(), nullable=True),
    sa.Column('required', sa.Boolean(), nullable=False),
    sa.Column('is_unique', sa.Boolean(), nullable=False),
    sa.Column('archived_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('updated_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("type IN ('text', 'number', 'money', 'date', 'boolean', 'enum', 'multi_enum', 'url')", name=op.f('ck_custom_field_type')),
    sa.CheckConstraint("(type = 'money') = (currency IS NOT NULL)", name=op.f('ck_custom_field_currency_of_money')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_custom_field')),
    schema='customer'
    )
    op.create_index('uq_custom_field_key', 'custom_field', ['tenant_id', 'key'], unique=True, schema='customer')
    op.create_table('custom_field_policy',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('strict', sa.Boolean(), nullable=False),
    sa.Column('updated_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', name=op.f('pk_custom_field_policy')),
    schema='customer'
    )
    op.create_table('custom_value',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=False),
    sa.Column('field_id', sa.Uuid(), nullable=False),
    sa.Column('position', sa.SmallInteger(), nullable=False),
    sa.Column('text_value', sa.Text(collation='C'), nullable=True),
    sa.Column('number_value', sa.BigInteger(), nullable=True),
    sa.Column('date_value', sa.Date(), nullable=True),
    sa.Column('fault', sa.Text(), nullable=True),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.CheckConstraint('num_nonnulls(text_value, number_value, date_value, fault) = 1', name=op.f('ck_custom_value_one_value')),
    sa.ForeignKeyConstraint(['tenant_id', 'customer_id'], ['customer.customer.tenant_id', 'customer.customer.id'], name=op.f('fk_custom_value_tenant_id_customer_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'field_id'], ['customer.custom_field.tenant_id', 'customer.custom_field.id'], name=op.f('fk_custom_value_tenant_id_field_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'customer_id', 'field_id', 'position', name=op.f('pk_custom_value')),
    schema='customer'
    )
    for name in ('text', 'number', 'date'):
        column = f'{name}_value'
        op.create_index(
            f'ix_custom_value_{name}',
            'custom_value',
            ['tenant_id', 'field_id', column, 'created_at', 'customer_id'],
            schema='customer',
            postgresql_where=sa.text(f'{column} IS NOT NULL'),
        )
    op.create_index(
        'ix_custom_value_fault',
        'custom_value',
        ['tenant_id', 'field_id', 'customer_id'],
        schema='customer',
        postgresql_where=sa.text('fault IS NOT NULL'),
    )
    protect('customer', 'custom_field', 'custom_field_policy', 'custom_value')


def downgrade() -> None:
    for table in ('custom_value', 'custom_field_policy', 'custom_field'):
        op.drop_table(table, schema='customer')
