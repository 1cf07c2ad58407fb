"""Which files were made for a request of a person."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0067'
down_revision = '0066'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        'privacy_request',
        sa.Column('files', postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        schema='customer',
    )


def downgrade() -> None:
    op.drop_column('privacy_request', 'files', schema='customer')
