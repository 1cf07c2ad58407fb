"""The history of the schema `customer`."""

from services.customer.schema import metadata

from migrations.environment import run_migrations

run_migrations(metadata)
