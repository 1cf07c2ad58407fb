"""who was erased."""

from migrations.environment import add_erased_customers, remove_erased_customers

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_erased_customers('support_ticket')


def downgrade() -> None:
    remove_erased_customers('support_ticket')
