"""who stands for whom."""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        'recipient', sa.Column('merged_into', sa.Uuid(), nullable=True), schema='messaging'
    )


def downgrade() -> None:
    op.drop_column('recipient', 'merged_into', schema='messaging')
