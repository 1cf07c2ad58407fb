"""who was erased."""

from migrations.environment import add_erased_customers, remove_erased_customers

revision = '0033'
down_revision = '0032'
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_erased_customers('customer')


def downgrade() -> None:
    remove_erased_customers('customer')
