"""whose values are personal: fields of the shop's own are marked."""

import sqlalchemy as sa
from alembic import op

revision = '0063'
down_revision = '0062'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        'custom_field',
        sa.Column('sensitivity', sa.Text(), server_default=sa.text("'none'"), nullable=False),
        schema='customer',
    )
    # Every row that is there holds it; the next migration looks.
    op.execute(
        'ALTER TABLE customer.custom_field ADD CONSTRAINT ck_custom_field_sensitivity '
        "CHECK (sensitivity IN ('none', 'personal', 'sensitive')) NOT VALID"
    )


def downgrade() -> None:
    op.drop_constraint('ck_custom_field_sensitivity', 'custom_field', schema='customer')
    op.drop_column('custom_field', 'sensitivity', schema='customer')
