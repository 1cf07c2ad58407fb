"""find whose time is over."""

import sqlalchemy as sa
from alembic import op

from migrations.environment import create_index_online

revision = '0046'
down_revision = '0045'
branch_labels = None
depends_on = None

INDEXES = (
    (
        'ix_customer_last_active',
        'customer',
        ['tenant_id', sa.text('greatest(created_at, last_order_at, last_interaction_at)'), 'id'],
        'merged_into IS NULL AND erased_at IS NULL',
    ),
    (
        'ix_consent_record_withdrawn',
        'consent_record',
        ['tenant_id', 'changed_at', 'customer_id'],
        "status = 'withdrawn'",
    ),
    (
        'ix_interaction_with_text',
        'interaction',
        ['tenant_id', 'started_at', 'id'],
        'text IS NOT NULL',
    ),
    ('ix_note_recorded', 'note', ['tenant_id', 'created_at', 'id'], None),
    (
        'ix_lead_submission_entered',
        'lead_submission',
        ['tenant_id', 'received_at', 'id'],
        "entered <> '{}'::jsonb",
    ),
    (
        'ix_touch_traces',
        'touch',
        ['tenant_id', 'occurred_at', 'id'],
        "referrer IS NOT NULL OR landing_page IS NOT NULL OR click_ids <> '{}'::jsonb",
    ),
    ('ix_erasure_run', 'erasure', ['tenant_id', 'run_id', 'id'], 'run_id IS NOT NULL'),
)


def upgrade() -> None:
    for name, table, columns, where in INDEXES:
        options = {} if where is None else {'postgresql_where': sa.text(where)}
        create_index_online(name, table, columns, schema='customer', **options)


def downgrade() -> None:
    for name, table, _, _ in reversed(INDEXES):
        op.drop_index(name, table_name=table, schema='customer')
