"""The history of the schema `segmentation`."""

from migrations.environment import run_migrations
from services.segmentation.schema import metadata

run_migrations(metadata)
