"""Look at the rows whose origin 0004 took for granted, while others read and write them."""

from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE messaging.message VALIDATE CONSTRAINT ck_message_origin")


def downgrade() -> None:
    pass
