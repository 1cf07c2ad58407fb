"""When what people agreed to stops counting."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.environment import protect

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        'profile',
        sa.Column(
            'consent_ends',
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        schema='segmentation',
    )
    op.create_table(
        'consent_end',
        sa.Column('tenant_id', sa.Uuid(), nullable=False),
        sa.Column('customer_id', sa.Uuid(), nullable=False),
        sa.Column('ends_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            'tenant_id', 'customer_id', 'ends_at', name=op.f('pk_consent_end')
        ),
        schema='segmentation',
    )
    op.create_index(
        op.f('ix_consent_end_tenant_id_ends_at'),
        'consent_end',
        ['tenant_id', 'ends_at'],
        schema='segmentation',
    )
    protect('segmentation', 'consent_end')


def downgrade() -> None:
    op.drop_table('consent_end', schema='segmentation')
    op.drop_column('profile', 'consent_ends', schema='segmentation')
