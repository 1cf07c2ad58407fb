"""Take single records out of a merge."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0069'
down_revision = '0068'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        'customer_merge',
        sa.Column(
            'taken_out',
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        schema='customer',
    )


def downgrade() -> None:
    op.drop_column('customer_merge', 'taken_out', schema='customer')
