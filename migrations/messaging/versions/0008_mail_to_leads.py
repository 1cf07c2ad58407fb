"""Messages that ask people to confirm what they agreed to in a form."""

from alembic import op

from migrations.environment import widen_check

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    widen_check(
        op.f('ck_message_origin'), 'message',
        "origin IN ('automation', 'ticket_reply', 'survey', 'api', 'staff', 'lead_form')",
        schema='messaging',
    )


def downgrade() -> None:
    op.drop_constraint(op.f('ck_message_origin'), 'message', schema='messaging', type_='check')
    op.create_check_constraint(
        op.f('ck_message_origin'), 'message',
        "origin IN ('automation', 'ticket_reply', 'survey', 'api', 'staff')",
        schema='messaging', postgresql_not_valid=True,
    )
