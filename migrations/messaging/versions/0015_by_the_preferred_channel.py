"""Messages go by the channel that customers prefer."""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

CHOSEN_BY = 'ck_message_channel_chosen_by'


def upgrade() -> None:
    op.add_column('recipient', sa.Column('preferred_channel', sa.Text(), nullable=True), schema='messaging')
    for name in ('channel_chosen_by', 'unmet_preference', 'unmet_preference_reason'):
        op.add_column('message', sa.Column(name, sa.Text(), nullable=True), schema='messaging')
    # Until now there was one channel, and nobody had a choice to name it.
    op.add_column('automation', sa.Column('names_channel', sa.Boolean(), nullable=False, server_default=sa.text('false')), schema='messaging')
    op.create_check_constraint(
        op.f(CHOSEN_BY), 'message', "channel_chosen_by IN ('request', 'preference', 'fallback')",
        schema='messaging', postgresql_not_valid=True,
    )


def downgrade() -> None:
    op.drop_constraint(op.f(CHOSEN_BY), 'message', schema='messaging', type_='check')
    op.drop_column('automation', 'names_channel', schema='messaging')
    for name in ('unmet_preference_reason', 'unmet_preference', 'channel_chosen_by'):
        op.drop_column('message', name, schema='messaging')
    op.drop_column('recipient', 'preferred_channel', schema='messaging')
