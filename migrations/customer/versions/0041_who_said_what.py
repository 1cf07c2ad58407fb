"""who said what."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.environment import protect

revision = '0041'
down_revision = '0040'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        'customer',
        sa.Column('provenance', postgresql.JSONB(), nullable=True),
        schema='customer',
    )
    op.create_table('source_priority',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('sources', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('fields', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('updated_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', name=op.f('pk_source_priority')),
    schema='customer'
    )
    protect('customer', 'source_priority')


def downgrade() -> None:
    op.drop_table('source_priority', schema='customer')
    op.drop_column('customer', 'provenance', schema='customer')
