"""Whom incoming records belong to: many records, one query."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.customer.customers.identities import Identity
from services.customer.customers.identity_match import (
    DuplicateCandidate,
    KnownIdentity,
    match_identity,
)
from services.customer.customers.identity_repository import IdentityRepository
from services.customer.duplicates.repository import DuplicateRepository, Proposal
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class Recognised:
    """The customer whom a record belongs to; `is_new` when nobody knows them yet.

    Of a customer who is several records, it is the one through which this came: what is written now
    is written with its id, and goes with it should they part again. `identities` are the record's,
    as the customer may have them: what is somebody else's is only claimed. `proposals` are the
    pairs that a person should look at.
    """

    customer_id: UUID
    is_new: bool
    identities: Sequence[Identity]
    proposals: Sequence[Proposal]


class Recognition:
    """What is known of identities while a set of records is taken in, one after the other.

    A customer whom one record brings is known to the next.
    """

    def __init__(
        self,
        known: Iterable[KnownIdentity],
        *,
        never_merge: Collection[frozenset[UUID]] = (),
    ) -> None:
        self._never_merge = never_merge
        self._known: dict[tuple[str, str, str], list[KnownIdentity]] = {}
        for identity in known:
            self._remember(identity)

    @classmethod
    async def of(
        cls,
        repository: IdentityRepository,
        duplicates: DuplicateRepository,
        identities: Iterable[Identity],
    ) -> "Recognition":
        """Ready for records that have (some of) these identities."""
        wanted = {identity.key: identity for identity in identities}
        known = await repository.holders(wanted.values())
        apart = await duplicates.told_apart({identity.customer_id for identity in known})
        return cls(known, never_merge=apart)

    def recognise(self, identities: Sequence[Identity]) -> Recognised:
        """Whom a record with these identities belongs to; from now on they are known by them."""
        held = [known for identity in identities for known in self._known.get(identity.key, ())]
        decision = match_identity(
            (identity.identifier() for identity in identities),
            held,
            never_merge=self._never_merge,
        )
        customer_id = decision.customer_id or new_id()
        record_id = decision.record_id or customer_id
        own = [self._as_kept(identity, record_id) for identity in identities]
        for identity in own:
            known = KnownIdentity(customer_id, identity.identifier(), record_id, identity.shared)
            self._remember(known)
        return Recognised(
            customer_id=record_id,
            is_new=decision.action == "create",
            identities=own,
            proposals=_proposals(customer_id, decision.candidates),
        )

    def owner(self, identity: Identity) -> UUID | None:
        """The record whose trusted identity this is; None while nobody has it."""
        held = self._known.get(identity.key, ())
        return next(
            (known.record_id or known.customer_id for known in held if known.identifier.trusted),
            None,
        )

    def _as_kept(self, identity: Identity, record_id: UUID) -> Identity:
        if is_of_several(identity, self._known.get(identity.key, ())):
            return identity.of_several()
        return identity.claimed() if self.owner(identity) not in {None, record_id} else identity

    def _remember(self, identity: KnownIdentity) -> None:
        identifier = identity.identifier
        key = (identifier.kind, identifier.source, identifier.value)
        held = self._known.setdefault(key, [])
        if identity not in held:
            held.append(identity)


def is_of_several(identity: Identity, holders: Iterable[KnownIdentity]) -> bool:
    """Whether one of the holders of something has it together with others."""
    key = identity.identifier().key
    return any(held.shared for held in holders if held.identifier.key == key)


def look_alikes(
    customer_id: UUID, identities: Sequence[Identity], holders: Iterable[KnownIdentity]
) -> list[Proposal]:
    """The pairs of a customer with others who have one of these identities too."""
    others = [held for held in holders if held.customer_id != customer_id]
    claims = (identity.claimed().identifier() for identity in identities)
    return _proposals(customer_id, match_identity(claims, others).candidates)


def _proposals(customer_id: UUID, candidates: Iterable[DuplicateCandidate]) -> list[Proposal]:
    return [
        Proposal(
            first=customer_id,
            second=candidate.customer_id,
            score=candidate.score,
            reasons=[evidence.code for evidence in candidate.reasons],
            is_proved=any(evidence.links for evidence in candidate.reasons),
        )
        for candidate in candidates
    ]
