"""Look at the rows whose origin 0008 took for granted, while others read and write them."""

from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE messaging.message VALIDATE CONSTRAINT ck_message_origin")


def downgrade() -> None:
    pass
