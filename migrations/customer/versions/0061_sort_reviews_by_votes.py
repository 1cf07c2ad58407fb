"""Sort the reviews of a product by votes."""

from alembic import op

from migrations.environment import create_index_online

revision = '0061'
down_revision = '0060'
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index_online(
        'ix_review_most_helpful',
        'review',
        ['tenant_id', 'product_id', 'status', 'helpful_count', 'created_at', 'id'],
        schema='customer',
    )


def downgrade() -> None:
    op.drop_index('ix_review_most_helpful', table_name='review', schema='customer')
