"""find tasks of a day."""

import sqlalchemy as sa
from alembic import op

from migrations.environment import create_index_online

revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None

INDEXES = (('ix_task_done', 'done_at', 'done'), ('ix_task_due', 'due_at', 'open'))


def upgrade() -> None:
    for name, column, status in INDEXES:
        create_index_online(
            name,
            'task',
            ['tenant_id', column],
            schema='customer',
            postgresql_where=sa.text(f"status = '{status}'"),
        )


def downgrade() -> None:
    for name, _column, _status in reversed(INDEXES):
        op.drop_index(name, table_name='task', schema='customer')
