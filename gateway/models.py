"""The metadata of the gateway schema; each slice's `models.py` adds its tables to it."""

from shared.db.tables import part_metadata

metadata = part_metadata("gateway")
