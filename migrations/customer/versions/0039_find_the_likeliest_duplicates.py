"""find the likeliest duplicates."""

from alembic import op

from migrations.environment import create_index_online

revision = '0039'
down_revision = '0038'
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index_online(
        'ix_duplicate_candidate_score',
        'duplicate_candidate',
        ['tenant_id', 'status', 'score', 'id'],
        schema='customer',
    )


def downgrade() -> None:
    op.drop_index('ix_duplicate_candidate_score', table_name='duplicate_candidate', schema='customer')
