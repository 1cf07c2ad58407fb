"""The trace in which work was asked for, kept with the work."""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('delivery', sa.Column('trace', sa.Text(), nullable=True), schema='gateway')


def downgrade() -> None:
    op.drop_column('delivery', 'trace', schema='gateway')
