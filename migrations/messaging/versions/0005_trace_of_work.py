"""The trace in which work was asked for, kept with the work."""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('message', sa.Column('trace', sa.Text(), nullable=True), schema='messaging')


def downgrade() -> None:
    op.drop_column('message', 'trace', schema='messaging')
