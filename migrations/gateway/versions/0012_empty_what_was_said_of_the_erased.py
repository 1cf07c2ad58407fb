"""Let the gateway empty what the audit log says of people who are erased; nothing else of it."""

from alembic import op

from shared.settings import login_role

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(f"GRANT UPDATE (changes) ON gateway.audit_entry TO {login_role('gateway')}")


def downgrade() -> None:
    op.execute(f"REVOKE UPDATE (changes) ON gateway.audit_entry FROM {login_role('gateway')}")
