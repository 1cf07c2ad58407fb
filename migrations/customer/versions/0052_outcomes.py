"""outcomes: the words of a shop for what came of calls, tasks and appointments."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.environment import protect

revision = '0052'
down_revision = '0051'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'outcome',
        sa.Column('tenant_id', sa.Uuid(), nullable=False),
        sa.Column('id', sa.Uuid(), nullable=False),
        sa.Column('key', sa.Text(), nullable=False),
        sa.Column('label', postgresql.JSONB(), nullable=False),
        sa.Column('applies_to', postgresql.JSONB(), nullable=False),
        sa.Column('tone', sa.Text(), nullable=False),
        sa.Column('active', sa.Boolean(), nullable=False),
        sa.Column('ends_calls', sa.Boolean(), nullable=False),
        sa.Column('follow_up_minutes', sa.Integer(), nullable=True),
        sa.Column('follow_up_kind', sa.Text(), nullable=True),
        sa.Column('follow_up_title', sa.Text(), nullable=True),
        sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column('updated_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column('version', sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "tone IN ('positive', 'neutral', 'negative')", name=op.f('ck_outcome_tone')
        ),
        sa.CheckConstraint('follow_up_minutes >= 0', name=op.f('ck_outcome_follow_up_minutes')),
        sa.CheckConstraint(
            '(follow_up_minutes IS NULL) = (follow_up_kind IS NULL)',
            name=op.f('ck_outcome_follow_up_whole'),
        ),
        sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_outcome')),
        schema='customer',
    )
    op.create_index(
        'uq_outcome_key', 'outcome', ['tenant_id', 'key'], unique=True, schema='customer'
    )
    op.add_column('appointment', sa.Column('result_code', sa.Text()), schema='customer')
    protect('customer', 'outcome')


def downgrade() -> None:
    op.drop_column('appointment', 'result_code', schema='customer')
    op.drop_table('outcome', schema='customer')
