"""reviews."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.environment import protect

revision = '0030'
down_revision = '0029'
branch_labels = None
depends_on = None

INSTANT = postgresql.TIMESTAMP(timezone=True)
TABLES = ('review', 'review_product', 'review_fingerprint', 'product_rating', 'review_policy')


def upgrade() -> None:
    op.create_table('review',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=True),
    sa.Column('order_id', sa.Uuid(), nullable=True),
    sa.Column('product_id', sa.Text(), nullable=True),
    sa.Column('rating', sa.Integer(), nullable=False),
    sa.Column('title', sa.Text(), nullable=True),
    sa.Column('text', sa.Text(), nullable=True),
    sa.Column('photos', postgresql.JSONB(), nullable=False),
    sa.Column('author_name', sa.Text(), nullable=True),
    sa.Column('verified', sa.Boolean(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('suspicions', postgresql.JSONB(), nullable=False),
    sa.Column('answer', sa.Text(), nullable=True),
    sa.Column('answered_by', sa.Uuid(), nullable=True),
    sa.Column('answered_at', INSTANT, nullable=True),
    sa.Column('client_ip', sa.Text(), nullable=True),
    sa.Column('published_at', INSTANT, nullable=True),
    sa.Column('created_at', INSTANT, nullable=False),
    sa.Column('updated_at', INSTANT, nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("kind IN ('product', 'order')", name=op.f('ck_review_kind')),
    sa.CheckConstraint('rating BETWEEN 1 AND 5', name=op.f('ck_review_rating')),
    sa.CheckConstraint("status IN ('pending', 'published', 'rejected', 'private')", name=op.f('ck_review_status')),
    sa.CheckConstraint("(kind = 'product' AND product_id IS NOT NULL AND status <> 'private') OR (kind = 'order' AND order_id IS NOT NULL AND status = 'private')", name=op.f('ck_review_subject')),
    sa.ForeignKeyConstraint(['tenant_id', 'customer_id'], ['customer.customer.tenant_id', 'customer.customer.id'], name=op.f('fk_review_tenant_id_customer_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'order_id'], ['customer.customer_order.tenant_id', 'customer.customer_order.id'], name=op.f('fk_review_tenant_id_order_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_review')),
    schema='customer'
    )
    op.create_index('uq_review_order', 'review', ['tenant_id', 'order_id'], unique=True, schema='customer', postgresql_where=sa.text("kind = 'order'"))
    op.create_index('uq_review_customer_product', 'review', ['tenant_id', 'customer_id', 'product_id'], unique=True, schema='customer', postgresql_where=sa.text("kind = 'product' AND customer_id IS NOT NULL"))
    op.create_index('ix_review_newest', 'review', ['tenant_id', 'created_at', 'id'], unique=False, schema='customer')
    op.create_index('ix_review_status', 'review', ['tenant_id', 'status', 'created_at', 'id'], unique=False, schema='customer')
    op.create_index('ix_review_customer', 'review', ['tenant_id', 'customer_id', 'created_at', 'id'], unique=False, schema='customer')
    op.create_index('ix_review_of_product', 'review', ['tenant_id', 'product_id', 'status', 'created_at', 'id'], unique=False, schema='customer')
    op.create_index('ix_review_sender', 'review', ['tenant_id', 'client_ip', 'created_at'], unique=False, schema='customer', postgresql_where=sa.text('client_ip IS NOT NULL'))
    op.create_table('review_product',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('product_id', sa.Text(), nullable=False),
    sa.Column('review_id', sa.Uuid(), nullable=False),
    sa.Column('created_at', INSTANT, nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'review_id'], ['customer.review.tenant_id', 'customer.review.id'], name=op.f('fk_review_product_tenant_id_review_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'product_id', 'review_id', name=op.f('pk_review_product')),
    schema='customer'
    )
    op.create_index('ix_review_product_newest', 'review_product', ['tenant_id', 'product_id', 'created_at', 'review_id'], unique=False, schema='customer')
    op.create_index('ix_review_product_review', 'review_product', ['tenant_id', 'review_id'], unique=False, schema='customer')
    op.create_table('review_fingerprint',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('review_id', sa.Uuid(), nullable=False),
    sa.Column('received_at', INSTANT, nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'digest', name=op.f('pk_review_fingerprint')),
    schema='customer'
    )
    op.create_index('ix_review_fingerprint_review', 'review_fingerprint', ['tenant_id', 'review_id'], unique=False, schema='customer')
    op.create_table('product_rating',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('product_id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('stars_1', sa.BigInteger(), nullable=False),
    sa.Column('stars_2', sa.BigInteger(), nullable=False),
    sa.Column('stars_3', sa.BigInteger(), nullable=False),
    sa.Column('stars_4', sa.BigInteger(), nullable=False),
    sa.Column('stars_5', sa.BigInteger(), nullable=False),
    sa.Column('verified_count', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("kind IN ('product', 'order')", name=op.f('ck_product_rating_kind')),
    sa.PrimaryKeyConstraint('tenant_id', 'product_id', 'kind', name=op.f('pk_product_rating')),
    schema='customer'
    )
    op.create_table('review_policy',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('auto_publish', sa.Text(), nullable=False),
    sa.Column('from_stars', sa.Integer(), nullable=False),
    sa.Column('created_at', INSTANT, nullable=False),
    sa.Column('updated_at', INSTANT, nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("auto_publish IN ('never', 'verified', 'all')", name=op.f('ck_review_policy_auto_publish')),
    sa.CheckConstraint('from_stars BETWEEN 1 AND 5', name=op.f('ck_review_policy_from_stars')),
    sa.PrimaryKeyConstraint('tenant_id', name=op.f('pk_review_policy')),
    schema='customer'
    )
    protect('customer', *TABLES)


def downgrade() -> None:
    for table in ('review_policy', 'product_rating', 'review_fingerprint', 'review_product', 'review'):
        op.drop_table(table, schema='customer')
