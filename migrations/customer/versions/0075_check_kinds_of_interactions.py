"""Look at the kinds of the interactions that there are."""

from alembic import op

revision = '0075'
down_revision = '0074'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute('ALTER TABLE customer.interaction VALIDATE CONSTRAINT ck_interaction_kind')


def downgrade() -> None:
    """A constraint that was looked at is none the worse for it."""
