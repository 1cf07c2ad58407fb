"""When a shop is to be looked at next, and which shops have points whose time has come."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.db.protection import tenant_listing
from shared.settings import login_role

revision = '0068'
down_revision = '0067'
branch_labels = None
depends_on = None

OWNER = f"{login_role('customer')}_owner"
# Null before the first look, and after one of the release before.
DUE = 't.review_due_at IS NULL OR t.review_due_at <= now()'
LOT = 'SELECT FROM customer.loyalty_lot l WHERE l.tenant_id = t.tenant_id AND'
LISTINGS = (
    ('tenants_with_quality_to_review', 'quality_policy', DUE),
    ('tenants_with_tiers_to_review', 'loyalty_programme', DUE),
    (
        'tenants_with_points_in_time',
        'loyalty_programme',
        f"""EXISTS ({LOT} l.matured_at IS NULL AND l.available_at <= now())
            OR EXISTS ({LOT} l.remaining > 0 AND l.matured_at IS NOT NULL
                       AND l.expires_at <= now())""",
    ),
    (
        'tenants_with_points_to_tell_of',
        'loyalty_programme',
        f"""t.expiry_notice_days IS NOT NULL
            AND EXISTS ({LOT} l.remaining > 0 AND l.matured_at IS NOT NULL
                        AND l.expiry_told_at IS NULL AND l.expires_at > now()
                        AND l.expires_at <= now() + make_interval(days => t.expiry_notice_days))""",
    ),
)


def upgrade() -> None:
    for table in ('quality_policy', 'loyalty_programme'):
        op.add_column(
            table,
            sa.Column('review_due_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
            schema='customer',
        )
    op.execute(f'CREATE POLICY listing ON customer.loyalty_lot FOR SELECT TO {OWNER} USING (true)')
    for function, table, where in LISTINGS:
        for statement in tenant_listing('customer', function, table=table, where=f'({where})'):
            op.execute(statement)


def downgrade() -> None:
    for function, table, _ in reversed(LISTINGS):
        op.execute(f'DROP FUNCTION customer.{function}()')
        op.execute(f'DROP POLICY listing_{function} ON customer.{table}')
    op.execute('DROP POLICY listing ON customer.loyalty_lot')
    for table in ('loyalty_programme', 'quality_policy'):
        op.drop_column(table, 'review_due_at', schema='customer')
