"""find whose tickets are seen."""

import sqlalchemy as sa
from alembic import op

from migrations.environment import create_index_online

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

INDEXES = (
    ('ix_ticket_queue', 'queue_id', None),
    ('ix_ticket_waiting', 'queue_id', 'assignee_id IS NULL AND team_id IS NULL'),
    ('ix_ticket_team', 'team_id', 'team_id IS NOT NULL'),
    ('ix_ticket_created_by', 'created_by', 'created_by IS NOT NULL'),
)


def upgrade() -> None:
    for name, column, where in INDEXES:
        create_index_online(
            name,
            'ticket',
            ['tenant_id', column, 'created_at', 'id'],
            schema='support_ticket',
            postgresql_where=sa.text(where) if where else None,
        )


def downgrade() -> None:
    for name, _column, _where in reversed(INDEXES):
        op.drop_index(name, table_name='ticket', schema='support_ticket')
