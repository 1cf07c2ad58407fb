"""What keeps those apart who measure a shop's files at the same time."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.environment import protect

revision = '0066'
down_revision = '0065'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'import_space',
        sa.Column('tenant_id', sa.Uuid(), nullable=False),
        sa.Column('measured_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('tenant_id', name=op.f('pk_import_space')),
        schema='customer',
    )
    protect('customer', 'import_space')


def downgrade() -> None:
    op.drop_table('import_space', schema='customer')
