"""An index of the forms that were kept aside: a person's are found by what was entered."""

import sqlalchemy as sa
from alembic import op

from migrations.environment import create_index_online

revision = '0076'
down_revision = '0075'
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index_online(
        'ix_lead_submission_of_nobody',
        'lead_submission',
        ['tenant_id', 'id'],
        schema='customer',
        postgresql_where=sa.text('customer_id IS NULL'),
    )


def downgrade() -> None:
    op.drop_index(
        'ix_lead_submission_of_nobody', table_name='lead_submission', schema='customer'
    )
