"""Find the oldest traces of people that are kept for a while only."""

import sqlalchemy as sa
from alembic import op

from migrations.environment import create_index_online

revision = '0065'
down_revision = '0064'
branch_labels = None
depends_on = None

INDEXES = (
    ('ix_data_collection_started', 'data_collection', ['tenant_id', 'started_at', 'id'], None),
    ('ix_review_fingerprint_received', 'review_fingerprint', ['tenant_id', 'received_at'], None),
    ('ix_lead_fingerprint_received', 'lead_fingerprint', ['tenant_id', 'received_at'], None),
    (
        'ix_review_with_address',
        'review',
        ['tenant_id', 'created_at', 'id'],
        'client_ip IS NOT NULL',
    ),
    (
        'ix_customer_import_unforgotten',
        'customer_import',
        ['tenant_id', 'updated_at', 'id'],
        'forgotten_at IS NULL',
    ),
)


def upgrade() -> None:
    for name, table, columns, where in INDEXES:
        options = {'postgresql_where': sa.text(where)} if where else {}
        create_index_online(name, table, columns, schema='customer', **options)


def downgrade() -> None:
    for name, table, _, _ in reversed(INDEXES):
        op.drop_index(name, table_name=table, schema='customer')
