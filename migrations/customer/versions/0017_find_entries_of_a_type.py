"""find entries of a type."""

from alembic import op

from migrations.environment import create_index_online

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index_online(
        'ix_timeline_entry_type',
        'timeline_entry',
        ['tenant_id', 'customer_id', 'type', 'occurred_at', 'id'],
        schema='customer',
    )


def downgrade() -> None:
    op.drop_index('ix_timeline_entry_type', table_name='timeline_entry', schema='customer')
