"""restricted recipients."""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('recipient', sa.Column('restricted', sa.Boolean(), nullable=False, server_default=sa.text('false')), schema='messaging')


def downgrade() -> None:
    op.drop_column('recipient', 'restricted', schema='messaging')
