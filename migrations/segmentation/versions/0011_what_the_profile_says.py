"""What people do, like and earn, what they are to the shop, and in which province they are."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None

TEXTS = (
    *('occupation', 'position', 'preferred_channel', 'tax_code', 'income_currency'),
    *('vn63_province', 'vn34_province'),
)


def columns() -> list[sa.Column]:
    return [
        sa.Column('kind', sa.Text(), server_default=sa.text("'person'"), nullable=False),
        sa.Column('relation', sa.Text(), server_default=sa.text("'customer'"), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in TEXTS),
        sa.Column(
            'preferences',
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'::text[]"),
            nullable=False,
        ),
        sa.Column('rating', sa.SmallInteger(), nullable=True),
        sa.Column('income_at_least_minor', sa.BigInteger(), nullable=True),
        sa.Column('income_below_minor', sa.BigInteger(), nullable=True),
    ]


def upgrade() -> None:
    for column in columns():
        op.add_column('profile', column, schema='segmentation')


def downgrade() -> None:
    for column in reversed(columns()):
        op.drop_column('profile', column.name, schema='segmentation')
