"""identities in time.

An identity that has ended, or that several share, is stored as claimed: so it neither links nor
stands in the way of a verified one, also for the release before.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0042'
down_revision = '0041'
branch_labels = None
depends_on = None

INSTANTS = ('valid_from', 'valid_until', 'verified_at')
CHECKS = (
    ('ended_links_nobody', "valid_until IS NULL OR standing = 'claimed'"),
    ('shared_links_nobody', "NOT shared OR standing = 'claimed'"),
)


def upgrade() -> None:
    for name in INSTANTS:
        column = sa.Column(name, postgresql.TIMESTAMP(timezone=True), nullable=True)
        op.add_column('customer_identity', column, schema='customer')
    for column in (
        sa.Column('shared', sa.Boolean(), server_default=sa.text('false'), nullable=False),
        sa.Column('reason', sa.Text(), nullable=True),
        sa.Column('earlier', postgresql.JSONB(), nullable=True),
        sa.Column('version', sa.BigInteger(), server_default=sa.text('1'), nullable=False),
    ):
        op.add_column('customer_identity', column, schema='customer')
    # Nothing has ended and nothing is shared yet: there are no rows to look at.
    for name, condition in CHECKS:
        op.execute(
            'ALTER TABLE customer.customer_identity '
            f'ADD CONSTRAINT ck_customer_identity_{name} CHECK ({condition}) NOT VALID'
        )


def downgrade() -> None:
    for name, _condition in CHECKS:
        op.drop_constraint(f'ck_customer_identity_{name}', 'customer_identity', schema='customer')
    for name in ('version', 'earlier', 'reason', 'shared', *reversed(INSTANTS)):
        op.drop_column('customer_identity', name, schema='customer')
