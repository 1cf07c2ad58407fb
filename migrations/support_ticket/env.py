"""The history of the schema `support_ticket`."""

from services.support_ticket.schema import metadata

from migrations.environment import run_migrations

run_migrations(metadata)
