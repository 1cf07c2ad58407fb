"""find what is of a person."""

import sqlalchemy as sa
from alembic import op

from migrations.environment import create_index_online

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

INDEXES = (
    ('ix_membership_change_customer', 'membership_change', 'customer_id', None),
)


def upgrade() -> None:
    for name, table, column, condition in INDEXES:
        options = {'postgresql_where': sa.text(condition)} if condition else {}
        create_index_online(name, table, ['tenant_id', column], schema='segmentation', **options)


def downgrade() -> None:
    for name, table, _column, _condition in reversed(INDEXES):
        op.drop_index(name, table_name=table, schema='segmentation')
