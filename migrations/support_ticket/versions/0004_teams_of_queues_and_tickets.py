"""teams of queues and tickets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('agent', sa.Column('team_ids', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False), schema='support_ticket')
    op.add_column('queue', sa.Column('team_id', sa.Uuid(), nullable=True), schema='support_ticket')
    op.add_column('queue', sa.Column('version', sa.BigInteger(), server_default=sa.text('1'), nullable=False), schema='support_ticket')
    op.add_column('ticket', sa.Column('team_id', sa.Uuid(), nullable=True), schema='support_ticket')
    op.add_column('ticket', sa.Column('created_by', sa.Uuid(), nullable=True), schema='support_ticket')


def downgrade() -> None:
    op.drop_column('ticket', 'created_by', schema='support_ticket')
    op.drop_column('ticket', 'team_id', schema='support_ticket')
    op.drop_column('queue', 'version', schema='support_ticket')
    op.drop_column('queue', 'team_id', schema='support_ticket')
    op.drop_column('agent', 'team_ids', schema='support_ticket')
