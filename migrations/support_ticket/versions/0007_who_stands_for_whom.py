"""who stands for whom."""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        'customer', sa.Column('merged_into', sa.Uuid(), nullable=True), schema='support_ticket'
    )


def downgrade() -> None:
    op.drop_column('customer', 'merged_into', schema='support_ticket')
