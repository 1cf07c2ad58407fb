"""The history of the schema `support_ticket`."""

from migrations.environment import run_migrations
from services.support_ticket.schema import metadata

run_migrations(metadata)
