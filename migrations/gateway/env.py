"""The history of the schema `gateway`."""

from gateway.schema import metadata
from migrations.environment import run_migrations

run_migrations(metadata)
