"""Messages are interactions, too."""

from alembic import op

from migrations.environment import for_every_tenant, widen_check

revision = '0074'
down_revision = '0073'
branch_labels = None
depends_on = None


def upgrade() -> None:
    widen_check(
        op.f('ck_interaction_kind'),
        'interaction',
        "kind IN ('call', 'chat', 'visit', 'email', 'message', 'meeting', 'other')",
        schema='customer',
    )


def downgrade() -> None:
    with for_every_tenant('interaction', schema='customer'):
        op.execute("UPDATE customer.interaction SET kind = 'other' WHERE kind = 'message'")
    op.drop_constraint(op.f('ck_interaction_kind'), 'interaction', schema='customer', type_='check')
    op.create_check_constraint(
        op.f('ck_interaction_kind'),
        'interaction',
        "kind IN ('call', 'chat', 'visit', 'email', 'meeting', 'other')",
        schema='customer',
    )
