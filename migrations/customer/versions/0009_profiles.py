"""what is known of a customer besides how to reach them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, type_, default in (
        ('kind', sa.Text(), "'person'"),
        ('relation', sa.Text(), "'customer'"),
        ('profile', postgresql.JSONB(astext_type=sa.Text()), "'{}'"),
    ):
        column = sa.Column(name, type_, server_default=sa.text(default), nullable=False)
        op.add_column('customer', column, schema='customer')


def downgrade() -> None:
    for name in ('profile', 'relation', 'kind'):
        op.drop_column('customer', name, schema='customer')
