"""addresses."""

import sqlalchemy as sa
from alembic import op

from migrations.environment import protect

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

TEXTS = (
    ('label', False), ('recipient_name', True), ('full_address', True), ('street', True),
    ('ward', True), ('district', True), ('province', True), ('country', True),
    ('postal_code', True), ('scheme', True), ('vn63_province_code', True),
    ('vn63_district_code', True), ('vn63_ward_code', True), ('vn34_province_code', True),
    ('vn34_ward_code', True),
)


def upgrade() -> None:
    op.create_table('customer_address',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=False),
    *(sa.Column(name, sa.Text(), nullable=nullable) for name, nullable in TEXTS),
    sa.Column('vn34_ward_is_certain', sa.Boolean(), nullable=False),
    sa.Column('is_primary', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('updated_at', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'customer_id'], ['customer.customer.tenant_id', 'customer.customer.id'], name=op.f('fk_customer_address_tenant_id_customer_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_customer_address')),
    schema='customer'
    )
    op.create_index('ix_customer_address_newest', 'customer_address', ['tenant_id', 'customer_id', 'created_at', 'id'], unique=False, schema='customer')
    op.create_index('uq_customer_address_primary', 'customer_address', ['tenant_id', 'customer_id'], unique=True, schema='customer', postgresql_where=sa.text('is_primary'))
    protect('customer', 'customer_address')


def downgrade() -> None:
    op.drop_table('customer_address', schema='customer')
