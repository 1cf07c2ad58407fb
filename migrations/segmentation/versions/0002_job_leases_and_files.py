"""jobs that workers lease, clients follow and files come out of."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.environment import add_job_listings, protect

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('job_file',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('job_id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('part', sa.Integer(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.CheckConstraint("name IN ('result', 'errors')", name=op.f('ck_job_file_name')),
    sa.PrimaryKeyConstraint('tenant_id', 'job_id', 'name', 'part', name=op.f('pk_job_file')),
    schema='segmentation'
    )
    op.add_column('job', sa.Column('state', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False), schema='segmentation')
    op.add_column('job', sa.Column('version', sa.BigInteger(), server_default=sa.text('1'), nullable=False), schema='segmentation')
    op.add_column('job', sa.Column('attempts', sa.Integer(), server_default=sa.text('0'), nullable=False), schema='segmentation')
    op.add_column('job', sa.Column('lease_owner', sa.Uuid(), nullable=True), schema='segmentation')
    op.add_column('job', sa.Column('lease_until', postgresql.TIMESTAMP(timezone=True), nullable=True), schema='segmentation')
    op.add_column('job', sa.Column('parked', sa.Boolean(), server_default=sa.text('false'), nullable=False), schema='segmentation')
    op.add_column('job', sa.Column('cancel_requested_at', postgresql.TIMESTAMP(timezone=True), nullable=True), schema='segmentation')
    op.add_column('job', sa.Column('files', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False), schema='segmentation')
    op.add_column('job', sa.Column('file_scopes', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False), schema='segmentation')
    op.add_column('job', sa.Column('files_expire_at', postgresql.TIMESTAMP(timezone=True), nullable=True), schema='segmentation')
    op.create_index('ix_job_newest', 'job', ['tenant_id', 'created_at', 'id'], unique=False, schema='segmentation')
    op.create_index('ix_job_waiting', 'job', ['tenant_id', 'created_at', 'id'], unique=False, schema='segmentation', postgresql_where=sa.text("status IN ('queued', 'running') AND NOT parked"))
    op.create_index('ix_job_ended', 'job', ['tenant_id'], unique=False, schema='segmentation', postgresql_where=sa.text('finished_at IS NOT NULL'))
    protect('segmentation', 'job_file')
    add_job_listings('segmentation')


def downgrade() -> None:
    for function in ('tenants_with_waiting_jobs', 'tenants_with_ended_jobs'):
        op.execute(f'DROP FUNCTION segmentation.{function}()')
        op.execute(f'DROP POLICY listing_{function} ON segmentation.job')
    op.drop_index('ix_job_ended', table_name='job', schema='segmentation')
    op.drop_index('ix_job_waiting', table_name='job', schema='segmentation')
    op.drop_index('ix_job_newest', table_name='job', schema='segmentation')
    for column in ('files_expire_at', 'file_scopes', 'files', 'cancel_requested_at', 'parked', 'lease_until', 'lease_owner', 'attempts', 'version', 'state'):
        op.drop_column('job', column, schema='segmentation')
    op.drop_table('job_file', schema='segmentation')
