"""imports."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.environment import protect
from shared.db.protection import tenant_listing

revision = '0031'
down_revision = '0030'
branch_labels = None
depends_on = None

TABLES = ('customer_import', 'import_piece', 'import_chunk', 'import_row', 'import_key')


def upgrade() -> None:
    op.create_table('customer_import',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('file_name', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('reading', postgresql.JSONB(), nullable=False),
    sa.Column('columns', postgresql.JSONB(), nullable=False),
    sa.Column('mapping', postgresql.JSONB(), nullable=False),
    sa.Column('options', postgresql.JSONB(), nullable=False),
    sa.Column('received_bytes', sa.BigInteger(), nullable=False),
    sa.Column('pieces', sa.Integer(), nullable=False),
    sa.Column('chunks', sa.Integer(), nullable=False),
    sa.Column('rows', sa.Integer(), nullable=False),
    sa.Column('dry_run', postgresql.JSONB(), nullable=True),
    sa.Column('run', postgresql.JSONB(), nullable=True),
    sa.Column('undo', postgresql.JSONB(), nullable=True),
    sa.Column('error', postgresql.JSONB(), nullable=True),
    sa.Column('job_id', sa.Uuid(), nullable=True),
    sa.Column('started_by', postgresql.JSONB(), nullable=False),
    sa.Column('files_expire_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('updated_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("status IN ('uploading', 'reading', 'ready', 'checking', 'running', 'finished', 'cancelled', 'failed', 'undoing', 'undone')", name=op.f('ck_customer_import_status')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_customer_import')),
    schema='customer'
    )
    op.create_index('ix_customer_import_newest', 'customer_import', ['tenant_id', 'created_at', 'id'], unique=False, schema='customer')
    op.create_index('ix_customer_import_files', 'customer_import', ['tenant_id', 'files_expire_at'], unique=False, schema='customer', postgresql_where=sa.text('files_expire_at IS NOT NULL'))
    op.create_table('import_piece',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('import_id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'import_id', 'number', name=op.f('pk_import_piece')),
    schema='customer'
    )
    op.create_table('import_chunk',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('import_id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('rows', sa.Integer(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'import_id', 'number', name=op.f('pk_import_chunk')),
    schema='customer'
    )
    op.create_table('import_row',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('import_id', sa.Uuid(), nullable=False),
    sa.Column('row', sa.Integer(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=True),
    sa.Column('code', sa.Text(), nullable=True),
    sa.Column('of_row', sa.Integer(), nullable=True),
    sa.Column('problems', postgresql.JSONB(), nullable=False),
    sa.Column('changes', postgresql.JSONB(), nullable=False),
    sa.Column('customer_version', sa.BigInteger(), nullable=True),
    sa.Column('undone', sa.Text(), nullable=True),
    sa.CheckConstraint("outcome IN ('created', 'updated', 'unchanged', 'merged', 'invalid', 'erased')", name=op.f('ck_import_row_outcome')),
    sa.CheckConstraint("undone IN ('removed', 'restored', 'partly', 'kept')", name=op.f('ck_import_row_undone')),
    sa.PrimaryKeyConstraint('tenant_id', 'import_id', 'row', name=op.f('pk_import_row')),
    schema='customer'
    )
    op.create_index('ix_import_row_outcome', 'import_row', ['tenant_id', 'import_id', 'outcome', 'row'], unique=False, schema='customer')
    op.create_index('ix_import_row_customer', 'import_row', ['tenant_id', 'customer_id', 'import_id', 'row'], unique=False, schema='customer', postgresql_where=sa.text('customer_id IS NOT NULL'))
    op.create_table('import_key',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('scope', sa.Uuid(), nullable=False),
    sa.Column('key', sa.Uuid(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=False),
    sa.Column('row', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'scope', 'key', name=op.f('pk_import_key')),
    schema='customer'
    )
    op.create_index('ix_import_key_customer', 'import_key', ['tenant_id', 'customer_id'], unique=False, schema='customer')
    protect('customer', *TABLES)
    for statement in tenant_listing(
        'customer',
        'tenants_with_import_files',
        table='customer_import',
        where='t.files_expire_at IS NOT NULL',
    ):
        op.execute(statement)


def downgrade() -> None:
    op.execute('DROP FUNCTION customer.tenants_with_import_files')
    for table in reversed(TABLES):
        op.drop_table(table, schema='customer')
