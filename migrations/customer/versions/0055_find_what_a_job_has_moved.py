"""Find what a job has moved."""

import sqlalchemy as sa
from alembic import op

from migrations.environment import create_index_online

revision = '0055'
down_revision = '0054'
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index_online(
        'ix_assignment_log_job',
        'assignment_log',
        ['tenant_id', 'job_id', 'id'],
        schema='customer',
        postgresql_where=sa.text('job_id IS NOT NULL'),
    )


def downgrade() -> None:
    op.drop_index('ix_assignment_log_job', table_name='assignment_log', schema='customer')
