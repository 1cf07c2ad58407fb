"""Look at the states of duplicates that 0023 took for granted, while others read and write them."""

from alembic import op

revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute('ALTER TABLE customer.duplicate_candidate VALIDATE CONSTRAINT ck_duplicate_candidate_status')


def downgrade() -> None:
    """A constraint that was looked at is none the worse for it."""
