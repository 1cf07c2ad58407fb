"""find calls and reminders."""

import sqlalchemy as sa
from alembic import op

from migrations.environment import create_index_online

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index_online(
        'ix_task_calls',
        'task',
        ['tenant_id', 'assignee_id'],
        schema='customer',
        postgresql_where=sa.text("status = 'open' AND kind = 'call'"),
    )
    create_index_online(
        'ix_task_reminder',
        'task',
        ['tenant_id', 'reminder_at'],
        schema='customer',
        postgresql_where=sa.text(
            "status = 'open' AND reminder_at IS NOT NULL AND reminded_at IS NULL"
        ),
    )


def downgrade() -> None:
    for name in ('ix_task_reminder', 'ix_task_calls'):
        op.drop_index(name, table_name='task', schema='customer')
