"""Search merged records: the names, codes and contacts by which people are known, too."""

from alembic import op

from services.customer.customers.search_function import search_merged_function

revision = '0072'
down_revision = '0071'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in search_merged_function():
        op.execute(statement)


def downgrade() -> None:
    op.execute('DROP FUNCTION customer.search_merged(text[], boolean, integer)')
