"""Know of customers who were removed with the import that brought them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0077'
down_revision = '0076'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        'customer',
        sa.Column('removed_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
        schema='customer',
    )


def downgrade() -> None:
    op.drop_column('customer', 'removed_at', schema='customer')
