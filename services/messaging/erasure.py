"""This service's part in erasing people."""

from collections.abc import Sequence

from services.messaging.preferences.digests import AddressDigests
from services.messaging.preferences.repository import Suppression, SuppressionRepository
from services.messaging.schema import metadata
from shared.contracts.privacy import TableErasure
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.privacy.dead_letters import erase_dead_letters
from shared.privacy.part import Eraser, PartPrivacy
from shared.privacy.person import KnownPerson
from shared.security.keys import RootKey, SecretBox


def part_privacy(root: RootKey) -> PartPrivacy:
    """This service's answers to requests of people."""
    return PartPrivacy(
        part="messaging",
        metadata=metadata,
        secrets=SecretBox(root),
        erasers=[_disguise(AddressDigests(root)), erase_dead_letters("messaging")],
    )


def _disguise(digests: AddressDigests) -> Eraser:
    """Nobody is written to again who was erased: what is kept of the address is its digest."""

    async def erase(uow: UnitOfWork, person: KnownPerson) -> Sequence[TableErasure]:
        suppressions = SuppressionRepository(uow, digests=digests)
        rows = await suppressions.disguise("email", person.emails)
        await suppressions.add(
            Suppression(
                id=new_id(),
                channel="email",
                address=digests.of(uow.tenant_id, address),
                scope="marketing",
                reason="unsubscribed",
                source="erasure",
                message_id=None,
                customer_id=None,
                created_at=uow.clock.now(),
            )
            for address in person.emails
        )
        return [TableErasure(table="suppression", rows=rows, how="anonymised")] if rows else []

    return erase
