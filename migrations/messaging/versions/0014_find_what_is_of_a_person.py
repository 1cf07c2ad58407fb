"""find what is of a person."""

import sqlalchemy as sa
from alembic import op

from migrations.environment import create_index_online

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None

INDEXES = (
    ('ix_inbound_message_unknown_sender_email', 'inbound_message', 'sender_email', 'customer_id IS NULL AND sender_email IS NOT NULL'),
    ('ix_inbound_message_unknown_sender_phone', 'inbound_message', 'sender_phone', 'customer_id IS NULL AND sender_phone IS NOT NULL'),
    ('ix_message_unknown_address', 'message', 'address_key', 'customer_id IS NULL AND address_key IS NOT NULL'),
    ('ix_suppression_customer', 'suppression', 'customer_id', 'customer_id IS NOT NULL'),
)


def upgrade() -> None:
    for name, table, column, condition in INDEXES:
        options = {'postgresql_where': sa.text(condition)} if condition else {}
        create_index_online(name, table, ['tenant_id', column], schema='messaging', **options)


def downgrade() -> None:
    for name, table, _column, _condition in reversed(INDEXES):
        op.drop_index(name, table_name=table, schema='messaging')
