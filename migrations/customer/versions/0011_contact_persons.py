"""contact persons."""

import sqlalchemy as sa
from alembic import op

from migrations.environment import protect

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('contact_person',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('position', sa.Text(), nullable=True),
    sa.Column('email', sa.Text(), nullable=True),
    sa.Column('phone', sa.Text(), nullable=True),
    sa.Column('note', sa.Text(), nullable=True),
    sa.Column('is_primary', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('updated_at', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'customer_id'], ['customer.customer.tenant_id', 'customer.customer.id'], name=op.f('fk_contact_person_tenant_id_customer_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_contact_person')),
    schema='customer'
    )
    op.create_index('ix_contact_person_newest', 'contact_person', ['tenant_id', 'customer_id', 'created_at', 'id'], unique=False, schema='customer')
    op.create_index('uq_contact_person_primary', 'contact_person', ['tenant_id', 'customer_id'], unique=True, schema='customer', postgresql_where=sa.text('is_primary'))
    protect('customer', 'contact_person')


def downgrade() -> None:
    op.drop_table('contact_person', schema='customer')
