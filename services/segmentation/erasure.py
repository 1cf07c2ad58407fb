"""This service's part in erasing people."""

from services.segmentation.schema import metadata
from shared.privacy.dead_letters import erase_dead_letters
from shared.privacy.part import PartPrivacy
from shared.security.keys import RootKey, SecretBox


def part_privacy(root: RootKey) -> PartPrivacy:
    """This service's answers to requests of people."""
    return PartPrivacy(
        part="segmentation",
        metadata=metadata,
        secrets=SecretBox(root),
        erasers=[erase_dead_letters("segmentation")],
    )
