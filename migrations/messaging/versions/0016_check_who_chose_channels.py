"""Look at the rows that 0015 took for granted, while others read and write them."""

from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE messaging.message VALIDATE CONSTRAINT ck_message_channel_chosen_by")


def downgrade() -> None:
    pass
