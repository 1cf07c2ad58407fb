"""find customers of a city."""

from alembic import op
import sqlalchemy as sa

from migrations.environment import create_index_online

revision = '0057'
down_revision = '0056'
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index_online(
        'ix_customer_city_newest',
        'customer',
        ['tenant_id', 'city', 'created_at', 'id'],
        schema='customer',
        postgresql_where=sa.text('city IS NOT NULL'),
    )


def downgrade() -> None:
    op.drop_index('ix_customer_city_newest', table_name='customer', schema='customer')
