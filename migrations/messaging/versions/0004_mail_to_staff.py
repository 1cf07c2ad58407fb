"""Messages that the gateway writes to staff."""

from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def _origins(*names: str) -> None:
    # Looking at every row would keep others out; the next migration does it without.
    listed = ", ".join(f"'{name}'" for name in names)
    op.drop_constraint(op.f('ck_message_origin'), 'message', schema='messaging', type_='check')
    op.create_check_constraint(
        op.f('ck_message_origin'), 'message', f"origin IN ({listed})",
        schema='messaging', postgresql_not_valid=True,
    )


def upgrade() -> None:
    _origins('automation', 'ticket_reply', 'survey', 'api', 'staff')


def downgrade() -> None:
    _origins('automation', 'ticket_reply', 'survey', 'api')
