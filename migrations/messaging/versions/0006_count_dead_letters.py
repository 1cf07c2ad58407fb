"""Which tenants have events set aside."""

import sqlalchemy as sa
from alembic import op

from migrations.environment import add_dead_letter_listings

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_dead_letter_open', 'dead_letter', ['tenant_id'], unique=False, schema='messaging', postgresql_where=sa.text('replayed_at IS NULL'))
    add_dead_letter_listings('messaging')


def downgrade() -> None:
    op.execute('DROP FUNCTION messaging.tenants_with_dead_letters()')
    op.execute('DROP POLICY listing_tenants_with_dead_letters ON messaging.dead_letter')
    op.drop_index('ix_dead_letter_open', table_name='dead_letter', schema='messaging')
