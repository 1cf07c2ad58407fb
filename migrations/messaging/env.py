"""The history of the schema `messaging`."""

from migrations.environment import run_migrations
from services.messaging.schema import metadata

run_migrations(metadata)
