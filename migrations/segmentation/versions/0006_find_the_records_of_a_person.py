"""find the records of a person."""

import sqlalchemy as sa
from alembic import op

from migrations.environment import create_index_online

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index_online(
        'ix_profile_merged_into',
        'profile',
        ['tenant_id', 'merged_into'],
        schema='segmentation',
        postgresql_where=sa.text('merged_into IS NOT NULL'),
    )


def downgrade() -> None:
    op.drop_index('ix_profile_merged_into', table_name='profile', schema='segmentation')
