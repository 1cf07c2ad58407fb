"""who stands for whom."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('profile', sa.Column('merged_into', sa.Uuid(), nullable=True), schema='segmentation')
    op.add_column(
        'profile',
        sa.Column('member_ids', postgresql.ARRAY(sa.Uuid()), nullable=True),
        schema='segmentation',
    )


def downgrade() -> None:
    op.drop_column('profile', 'member_ids', schema='segmentation')
    op.drop_column('profile', 'merged_into', schema='segmentation')
