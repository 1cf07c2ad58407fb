"""Know who looks after customers."""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Of customers who were told of before nobody is known to own them until they are told of anew.
    op.add_column(
        'customer', sa.Column('owner_id', sa.Uuid(), nullable=True), schema='support_ticket'
    )


def downgrade() -> None:
    op.drop_column('customer', 'owner_id', schema='support_ticket')
