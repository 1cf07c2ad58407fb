"""keys that rotate, are bound to places and limits."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('api_key', sa.Column('kind', sa.Text(), server_default=sa.text("'secret'"), nullable=False), schema='gateway')
    op.add_column('api_key', sa.Column('allowed_ips', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False), schema='gateway')
    op.add_column('api_key', sa.Column('allowed_origins', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False), schema='gateway')
    op.add_column('api_key', sa.Column('rate_limit', postgresql.JSONB(astext_type=sa.Text()), nullable=True), schema='gateway')
    op.add_column('api_key', sa.Column('updated_at', postgresql.TIMESTAMP(timezone=True), nullable=True), schema='gateway')
    op.add_column('api_key', sa.Column('previous_digest', sa.LargeBinary(), nullable=True), schema='gateway')
    op.add_column('api_key', sa.Column('previous_until', postgresql.TIMESTAMP(timezone=True), nullable=True), schema='gateway')
    op.add_column('api_key', sa.Column('rotated_at', postgresql.TIMESTAMP(timezone=True), nullable=True), schema='gateway')
    op.add_column('api_key', sa.Column('last_used_at', postgresql.TIMESTAMP(timezone=True), nullable=True), schema='gateway')
    op.add_column('api_key', sa.Column('last_used_ip', sa.Text(), nullable=True), schema='gateway')
    op.add_column('api_key', sa.Column('version', sa.BigInteger(), server_default=sa.text('1'), nullable=False), schema='gateway')
    op.create_check_constraint(
        op.f('ck_api_key_kind'), 'api_key', "kind IN ('secret', 'publishable')", schema='gateway'
    )


def downgrade() -> None:
    op.drop_constraint(op.f('ck_api_key_kind'), 'api_key', schema='gateway')
    op.drop_column('api_key', 'version', schema='gateway')
    op.drop_column('api_key', 'last_used_ip', schema='gateway')
    op.drop_column('api_key', 'last_used_at', schema='gateway')
    op.drop_column('api_key', 'rotated_at', schema='gateway')
    op.drop_column('api_key', 'previous_until', schema='gateway')
    op.drop_column('api_key', 'previous_digest', schema='gateway')
    op.drop_column('api_key', 'updated_at', schema='gateway')
    op.drop_column('api_key', 'rate_limit', schema='gateway')
    op.drop_column('api_key', 'allowed_origins', schema='gateway')
    op.drop_column('api_key', 'allowed_ips', schema='gateway')
    op.drop_column('api_key', 'kind', schema='gateway')
