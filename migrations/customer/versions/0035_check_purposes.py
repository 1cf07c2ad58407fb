"""check purposes and channels of consents again."""

from alembic import op

revision = '0035'
down_revision = '0034'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ('purpose', 'channel'):
        op.execute(f'ALTER TABLE customer.consent_record VALIDATE CONSTRAINT ck_consent_record_{name}')


def downgrade() -> None:
    pass
