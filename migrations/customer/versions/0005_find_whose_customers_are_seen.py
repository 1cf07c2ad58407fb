"""find whose customers and tasks are seen."""

import sqlalchemy as sa
from alembic import op

from migrations.environment import create_index_online

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

INDEXES = (
    ('ix_customer_owner_newest', 'customer', 'owner_id', None),
    ('ix_task_assignee', 'task', 'assignee_id', None),
    ('ix_task_created_by', 'task', 'created_by', 'created_by IS NOT NULL'),
)


def upgrade() -> None:
    for name, table, column, where in INDEXES:
        create_index_online(
            name,
            table,
            ['tenant_id', column, 'created_at', 'id'],
            schema='customer',
            postgresql_where=sa.text(where) if where else None,
        )


def downgrade() -> None:
    for name, table, _column, _where in reversed(INDEXES):
        op.drop_index(name, table_name=table, schema='customer')
