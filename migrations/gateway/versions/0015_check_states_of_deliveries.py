"""Look at what deliveries are that 0013 took for granted, while others read and write them."""

from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ('status', 'object_kind'):
        op.execute(f'ALTER TABLE gateway.delivery VALIDATE CONSTRAINT ck_delivery_{name}')


def downgrade() -> None:
    """A constraint that was looked at is none the worse for it."""
