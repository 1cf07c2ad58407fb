"""Which shops have traces of people whose time is over, and how far imports are forgotten."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.db.protection import tenant_listing

revision = '0062'
down_revision = '0061'
branch_labels = None
depends_on = None

ENDED = "t.status IN ('finished', 'cancelled', 'failed', 'undone')"
LISTINGS = (
    (
        'tenants_with_collections_to_forget',
        'data_collection',
        "(t.use = 'preview' OR t.finished_at IS NOT NULL) AND t.started_at < now() - interval '30 days'",
    ),
    (
        'tenants_with_review_fingerprints_to_forget',
        'review_fingerprint',
        "t.received_at < now() - interval '1 day'",
    ),
    (
        'tenants_with_review_addresses_to_forget',
        'review',
        "t.client_ip IS NOT NULL AND t.created_at < now() - interval '30 days'",
    ),
    (
        'tenants_with_lead_fingerprints_to_forget',
        'lead_fingerprint',
        "t.received_at < now() - interval '1 day'",
    ),
    (
        # The shortest time that can be set.
        'tenants_with_imports_to_forget',
        'customer_import',
        f"t.forgotten_at IS NULL AND {ENDED} AND t.updated_at < now() - interval '30 days'",
    ),
)


def upgrade() -> None:
    op.add_column(
        'customer_import', sa.Column('forgotten_to', sa.Integer(), nullable=True), schema='customer'
    )
    op.add_column(
        'customer_import',
        sa.Column('forgotten_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
        schema='customer',
    )
    for function, table, where in LISTINGS:
        for statement in tenant_listing('customer', function, table=table, where=where):
            op.execute(statement)


def downgrade() -> None:
    for function, table, _ in reversed(LISTINGS):
        op.execute(f'DROP FUNCTION customer.{function}()')
        op.execute(f'DROP POLICY listing_{function} ON customer.{table}')
    op.drop_column('customer_import', 'forgotten_at', schema='customer')
    op.drop_column('customer_import', 'forgotten_to', schema='customer')
