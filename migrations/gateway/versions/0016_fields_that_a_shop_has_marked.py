"""Fields that a shop has marked as personal."""

from migrations.environment import add_field_marks, remove_field_marks

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_field_marks('gateway')


def downgrade() -> None:
    remove_field_marks('gateway')
