"""who was erased."""

from migrations.environment import add_erased_customers, remove_erased_customers

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_erased_customers('gateway')


def downgrade() -> None:
    remove_erased_customers('gateway')
