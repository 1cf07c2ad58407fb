"""Let the gateway hide whom a query had looked for, of people who are erased, in the audit log."""

from alembic import op

from shared.settings import login_role

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(f"GRANT UPDATE (detail) ON gateway.audit_entry TO {login_role('gateway')}")


def downgrade() -> None:
    op.execute(f"REVOKE UPDATE (detail) ON gateway.audit_entry FROM {login_role('gateway')}")
