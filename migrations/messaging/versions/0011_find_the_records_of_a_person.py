"""find the records of a person."""

import sqlalchemy as sa
from alembic import op

from migrations.environment import create_index_online

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index_online(
        'ix_recipient_merged_into',
        'recipient',
        ['tenant_id', 'merged_into'],
        schema='messaging',
        postgresql_where=sa.text('merged_into IS NOT NULL'),
    )


def downgrade() -> None:
    op.drop_index('ix_recipient_merged_into', table_name='recipient', schema='messaging')
