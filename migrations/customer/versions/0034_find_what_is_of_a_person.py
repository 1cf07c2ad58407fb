"""find what is of a person."""

import sqlalchemy as sa
from alembic import op

from migrations.environment import create_index_online

revision = '0034'
down_revision = '0033'
branch_labels = None
depends_on = None

INDEXES = (
    ('ix_lead_submission_customer', 'lead_submission', 'customer_id', 'customer_id IS NOT NULL'),
    ('ix_lead_fingerprint_submission', 'lead_fingerprint', 'submission_id', None),
    ('ix_loyalty_redemption_customer', 'loyalty_redemption', 'customer_id', None),
)


def upgrade() -> None:
    for name, table, column, condition in INDEXES:
        options = {'postgresql_where': sa.text(condition)} if condition else {}
        create_index_online(name, table, ['tenant_id', column], schema='customer', **options)


def downgrade() -> None:
    for name, table, _column, _condition in reversed(INDEXES):
        op.drop_index(name, table_name=table, schema='customer')
