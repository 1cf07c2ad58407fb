"""owners and colleagues."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.environment import protect
from services.customer.customers.search_function import search_function

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('colleague',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('team_ids', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_colleague')),
    schema='customer'
    )
    op.add_column('customer', sa.Column('owner_id', sa.Uuid(), nullable=True), schema='customer')
    op.add_column('task', sa.Column('created_by', sa.Uuid(), nullable=True), schema='customer')
    protect('customer', 'colleague')
    for statement in search_function(by_owner=True):
        op.execute(statement)


def downgrade() -> None:
    op.execute(
        'DROP FUNCTION customer.search_customers('
        'text[], text, integer, text, text, text, timestamptz, timestamptz, integer, uuid, uuid[])'
    )
    op.drop_column('task', 'created_by', schema='customer')
    op.drop_column('customer', 'owner_id', schema='customer')
    op.drop_table('colleague', schema='customer')
