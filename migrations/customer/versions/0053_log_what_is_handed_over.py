"""log what is handed over: tasks and appointments besides customers."""

import sqlalchemy as sa
from alembic import op

from migrations.environment import for_every_tenant

revision = '0053'
down_revision = '0052'
branch_labels = None
depends_on = None
unnoticed = "The release before has no such table"


def upgrade() -> None:
    op.add_column(
        'assignment_log',
        sa.Column('subject', sa.Text(), server_default=sa.text("'customer'"), nullable=False),
        schema='customer',
    )
    op.add_column('assignment_log', sa.Column('subject_id', sa.Uuid()), schema='customer')
    op.alter_column('assignment_log', 'customer_id', nullable=True, schema='customer')
    for name, condition in (
        ('subject', "subject IN ('customer', 'task', 'appointment')"),
        (
            'customer_of_subject',
            "subject <> 'customer' OR (customer_id IS NOT NULL AND subject_id IS NULL)",
        ),
    ):
        # Every row that is there holds it; the next migration looks.
        op.execute(
            f'ALTER TABLE customer.assignment_log ADD CONSTRAINT ck_assignment_log_{name} '
            f'CHECK ({condition}) NOT VALID'
        )


def downgrade() -> None:
    with for_every_tenant('assignment_log', schema='customer'):
        op.execute("DELETE FROM customer.assignment_log WHERE subject <> 'customer'")
    for name in ('customer_of_subject', 'subject'):
        op.drop_constraint(f'ck_assignment_log_{name}', 'assignment_log', schema='customer')
    op.alter_column('assignment_log', 'customer_id', nullable=False, schema='customer')
    op.drop_column('assignment_log', 'subject_id', schema='customer')
    op.drop_column('assignment_log', 'subject', schema='customer')
