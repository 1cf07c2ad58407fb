"""Let nobody change or delete what somebody agreed to."""

from alembic import op

from shared.settings import login_role

revision = '0037'
down_revision = '0036'
branch_labels = None
depends_on = None
unnoticed = "Earlier releases only ever added to the ledger: what is revoked nobody has used"

ROLE = login_role('customer')
# What an erasure makes anonymous; the answer itself cannot be touched by anybody.
ANONYMISED = 'proof, client_ip, user_agent, evidence_digest'


def upgrade() -> None:
    op.execute(f'REVOKE UPDATE, DELETE ON customer.consent_record FROM {ROLE}')
    op.execute(f'GRANT UPDATE ({ANONYMISED}) ON customer.consent_record TO {ROLE}')


def downgrade() -> None:
    op.execute(f'GRANT UPDATE, DELETE ON customer.consent_record TO {ROLE}')
