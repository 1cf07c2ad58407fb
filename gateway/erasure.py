"""The gateway's part in what people ask for by law."""

from gateway.audit_log.erasure import erase_changes
from gateway.audit_log.telling import tell_entries
from gateway.deliveries.erasure import erase_deliveries
from gateway.schema import metadata
from shared.privacy.dead_letters import erase_dead_letters
from shared.privacy.part import PartPrivacy
from shared.security.keys import RootKey, SecretBox


def gateway_privacy(root: RootKey) -> PartPrivacy:
    """The gateway's answers to requests of people."""
    return PartPrivacy(
        part="gateway",
        metadata=metadata,
        secrets=SecretBox(root),
        erasers=[erase_changes, erase_deliveries, erase_dead_letters("gateway")],
        tellers=[tell_entries],
    )
