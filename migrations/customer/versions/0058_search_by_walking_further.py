"""search by walking further: what an index of trigrams costs was told too low."""

from alembic import op

from services.customer.customers.search_function import search_function

revision = '0058'
down_revision = '0057'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in search_function(by_owner=True, of_roots=True):
        op.execute(statement)


def downgrade() -> None:
    pass
