"""The metadata of the customer schema; each slice's `models.py` adds its tables to it."""

from shared.db.tables import part_metadata

metadata = part_metadata("customer")
