"""Look at what 0065 took for granted, while others read and write the log."""

from alembic import op

revision = '0054'
down_revision = '0053'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ('subject', 'customer_of_subject'):
        op.execute(
            f'ALTER TABLE customer.assignment_log VALIDATE CONSTRAINT ck_assignment_log_{name}'
        )


def downgrade() -> None:
    """A constraint that was looked at is none the worse for it."""
