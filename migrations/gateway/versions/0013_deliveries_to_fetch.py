"""Deliveries that only name what has changed, and what the platform is asked with."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.environment import widen_check
from shared.db.protection import tenant_listing

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

LISTING = 'tenants_with_deliveries_to_fetch'


def upgrade() -> None:
    op.add_column('connection', sa.Column('sealed_access_token', sa.Text(), nullable=True), schema='gateway')
    op.add_column('delivery', sa.Column('fetched', sa.LargeBinary(), nullable=True), schema='gateway')
    op.add_column('delivery', sa.Column('fetch_at', postgresql.TIMESTAMP(timezone=True), nullable=True), schema='gateway')
    op.add_column('delivery', sa.Column('fetch_tries', sa.Integer(), nullable=True), schema='gateway')
    widen_check(
        op.f('ck_delivery_status'),
        'delivery',
        "status IN ('pending', 'processed', 'ignored', 'failed', 'fetching')",
        schema='gateway',
    )
    widen_check(
        op.f('ck_delivery_object_kind'),
        'delivery',
        "object_kind IN ('customer', 'order', 'shop')",
        schema='gateway',
    )
    for statement in tenant_listing(
        'gateway', LISTING, table='delivery', where="t.status = 'fetching' AND t.fetch_at <= now()"
    ):
        op.execute(statement)


def downgrade() -> None:
    op.execute(f'DROP FUNCTION gateway.{LISTING}()')
    op.execute(f'DROP POLICY listing_{LISTING} ON gateway.delivery')
    for name, condition in (
        ('status', "status IN ('pending', 'processed', 'ignored', 'failed')"),
        ('object_kind', "object_kind IN ('customer', 'order')"),
    ):
        # Rows of the wider kind may stay: they are looked at by nobody who does not know them.
        op.drop_constraint(op.f(f'ck_delivery_{name}'), 'delivery', schema='gateway', type_='check')
        op.create_check_constraint(
            op.f(f'ck_delivery_{name}'), 'delivery', condition,
            schema='gateway', postgresql_not_valid=True,
        )
    op.drop_column('delivery', 'fetch_tries', schema='gateway')
    op.drop_column('delivery', 'fetch_at', schema='gateway')
    op.drop_column('delivery', 'fetched', schema='gateway')
    op.drop_column('connection', 'sealed_access_token', schema='gateway')
