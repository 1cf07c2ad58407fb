"""The history of the schema `customer`."""

from migrations.environment import run_migrations
from services.customer.schema import metadata

run_migrations(metadata)
