"""blocks of the changed: which keys of a scan are those of a changed customer."""

import sqlalchemy as sa
from alembic import op

revision = '0056'
down_revision = '0055'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        'duplicate_scan_key',
        sa.Column('is_changed', sa.Boolean(), server_default=sa.text('true'), nullable=False),
        schema='customer',
    )


def downgrade() -> None:
    op.drop_column('duplicate_scan_key', 'is_changed', schema='customer')
