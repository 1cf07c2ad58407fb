"""families of records."""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('customer', sa.Column('parent_id', sa.Uuid(), nullable=True), schema='customer')
    op.add_column('customer', sa.Column('merged_into', sa.Uuid(), nullable=True), schema='customer')


def downgrade() -> None:
    op.drop_column('customer', 'merged_into', schema='customer')
    op.drop_column('customer', 'parent_id', schema='customer')
