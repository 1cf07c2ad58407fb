"""last interactions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.customer.customers.search_function import search_function

revision = '0026'
down_revision = '0025'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        'customer',
        sa.Column('last_interaction_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
        schema='customer',
    )
    for statement in search_function(by_owner=True, of_roots=True):
        op.execute(statement)


def downgrade() -> None:
    for statement in search_function(by_owner=True):
        op.execute(statement)
    op.drop_column('customer', 'last_interaction_at', schema='customer')
