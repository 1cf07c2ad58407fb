"""Look at the priorities that 0018 took for granted, while others read and write tasks."""

from alembic import op

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute('ALTER TABLE customer.task VALIDATE CONSTRAINT ck_task_priority')


def downgrade() -> None:
    """A constraint that was looked at is none the worse for it."""
