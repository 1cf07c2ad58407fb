"""Remember the tiers that are no more, for those who had them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0070'
down_revision = '0069'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        'loyalty_tier',
        sa.Column('removed_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
        schema='customer',
    )


def downgrade() -> None:
    op.drop_column('loyalty_tier', 'removed_at', schema='customer')
