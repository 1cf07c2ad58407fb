"""Look at what 0063 took for granted, while others read and write fields."""

from alembic import op

revision = '0064'
down_revision = '0063'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute('ALTER TABLE customer.custom_field VALIDATE CONSTRAINT ck_custom_field_sensitivity')


def downgrade() -> None:
    """A constraint that was looked at is none the worse for it."""
