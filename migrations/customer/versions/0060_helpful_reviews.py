"""helpful reviews: who has voted for which, and how many have."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.environment import protect

revision = '0060'
down_revision = '0059'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ('review', 'product_rating'):
        op.add_column(
            table,
            sa.Column(
                'helpful_count', sa.BigInteger(), server_default=sa.text('0'), nullable=False
            ),
            schema='customer',
        )
    op.create_table(
        'review_vote',
        sa.Column('tenant_id', sa.Uuid(), nullable=False),
        sa.Column('review_id', sa.Uuid(), nullable=False),
        sa.Column('voter', sa.Uuid(), nullable=False),
        sa.Column('customer_id', sa.Uuid(), nullable=True),
        sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ['tenant_id', 'review_id'],
            ['customer.review.tenant_id', 'customer.review.id'],
            name=op.f('fk_review_vote_tenant_id_review_id'),
        ),
        sa.ForeignKeyConstraint(
            ['tenant_id', 'customer_id'],
            ['customer.customer.tenant_id', 'customer.customer.id'],
            name=op.f('fk_review_vote_tenant_id_customer_id'),
        ),
        sa.PrimaryKeyConstraint('tenant_id', 'review_id', 'voter', name=op.f('pk_review_vote')),
        schema='customer',
    )
    op.create_index(
        'ix_review_vote_customer',
        'review_vote',
        ['tenant_id', 'customer_id'],
        schema='customer',
        postgresql_where=sa.text('customer_id IS NOT NULL'),
    )
    protect('customer', 'review_vote')


def downgrade() -> None:
    op.drop_table('review_vote', schema='customer')
    for table in ('product_rating', 'review'):
        op.drop_column(table, 'helpful_count', schema='customer')
