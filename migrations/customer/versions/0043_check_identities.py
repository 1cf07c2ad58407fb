"""Look at what 0042 took for granted, while others read and write identities."""

from alembic import op

revision = '0043'
down_revision = '0042'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ('ended_links_nobody', 'shared_links_nobody'):
        op.execute(
            'ALTER TABLE customer.customer_identity '
            f'VALIDATE CONSTRAINT ck_customer_identity_{name}'
        )


def downgrade() -> None:
    """A constraint that was looked at is none the worse for it."""
