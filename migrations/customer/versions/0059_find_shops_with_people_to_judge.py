"""find shops with people to judge."""

from alembic import op

from shared.db.protection import tenant_listing
from shared.settings import login_role

revision = '0059'
down_revision = '0058'
branch_labels = None
depends_on = None

OWNER = f"{login_role('customer')}_owner"
# Everybody who was changed since the last look is found by one probe of an index, shop by shop.
CHANGED = """EXISTS (
    SELECT FROM customer.customer c WHERE c.tenant_id = t.tenant_id AND c.updated_at > coalesce(
        (SELECT p.judged_until FROM customer.quality_policy p WHERE p.tenant_id = t.tenant_id),
        '-infinity'))"""


def upgrade() -> None:
    op.execute(f'CREATE POLICY listing ON customer.quality_policy FOR SELECT TO {OWNER} USING (true)')
    for statement in tenant_listing(
        'customer', 'tenants_with_people_to_judge', table='value_policy', where=CHANGED
    ):
        op.execute(statement)


def downgrade() -> None:
    op.execute('DROP FUNCTION customer.tenants_with_people_to_judge()')
    op.execute('DROP POLICY listing_tenants_with_people_to_judge ON customer.value_policy')
    op.execute('DROP POLICY listing ON customer.quality_policy')
