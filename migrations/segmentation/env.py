"""The history of the schema `segmentation`."""

from services.segmentation.schema import metadata

from migrations.environment import run_migrations

run_migrations(metadata)
