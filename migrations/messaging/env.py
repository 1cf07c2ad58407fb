"""The history of the schema `messaging`."""

from services.messaging.models import metadata

from migrations.environment import run_migrations

run_migrations(metadata)
