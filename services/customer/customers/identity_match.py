"""Who an incoming record belongs to: the one decision that may join two people, so it is strict.

An identifier is *trusted* if the source gives it (a platform's own customer id) or somebody proved
it (a confirmed e-mail address). Everything else is *claimed*: anybody can type another's number.
Only where both sides are trusted does a record join a customer by itself. Any other match is left
to a person, as a duplicate candidate with its reasons.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal
from uuid import UUID

IdentifierKind = Literal["platform_id", "email", "phone"]

MAX_CANDIDATES: Final = 20
"""More people than this on one number means that the number says nothing, or is the shop's own."""

# Phone numbers are given to somebody else after a while, addresses rarely, platform ids never.
_RANK: Final[dict[IdentifierKind, int]] = {"platform_id": 3, "email": 2, "phone": 1}

# How likely two holders of one identifier are the same person, in per cent, when neither side is
# trusted, one is, or both are.
_WEIGHTS: Final[dict[IdentifierKind, tuple[int, int, int]]] = {
    "platform_id": (100, 100, 100),
    "email": (50, 60, 95),
    "phone": (40, 50, 90),
}


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier on an incoming record, its value normalised (lower-case e-mail, E.164).

    `source` names the connection it came through; a platform id means something only within it.
    """

    kind: IdentifierKind
    value: str
    source: str
    verified: bool = False

    @property
    def trusted(self) -> bool:
        """Given by the source itself, or proved by the person."""
        return self.verified or self.kind == "platform_id"

    @property
    def key(self) -> tuple[str, ...]:
        """What two holders of the same identifier have in common."""
        scope = (self.source,) if self.kind == "platform_id" else ()
        return (self.kind, self.value, *scope)


@dataclass(frozen=True, slots=True)
class KnownIdentity:
    """An identifier that a customer has. `customer_id` is canonical: aliases are resolved.

    `record_id` is the one of their records that has it.
    """

    customer_id: UUID
    identifier: Identifier
    record_id: UUID | None = None
    shared: bool = False
    """It is known to be several people's, so it says nothing of any of them."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One identifier shared by the incoming record and a customer."""

    kind: IdentifierKind
    incoming_trusted: bool
    known_trusted: bool

    @property
    def links(self) -> bool:
        """Enough, by itself, to join the record to the customer."""
        return self.incoming_trusted and self.known_trusted

    @property
    def weight(self) -> int:
        """How far it speaks for one and the same person, in per cent."""
        return _WEIGHTS[self.kind][self.incoming_trusted + self.known_trusted]

    @property
    def code(self) -> str:
        """A stable word for answers and screens, such as `same_email_claimed`."""
        return f"same_{self.kind}" + ("" if self.links else "_claimed")


@dataclass(frozen=True, slots=True)
class DuplicateCandidate:
    """A customer who may be the same person; `score` runs from 1 to 100."""

    customer_id: UUID
    score: int
    reasons: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class MatchDecision:
    """Which customer the record belongs to (None: a new one), why, and who may be a duplicate."""

    customer_id: UUID | None
    linked_by: tuple[Evidence, ...]
    candidates: tuple[DuplicateCandidate, ...]
    record_id: UUID | None = None
    """Of the customer's records the one that the strongest identifier links to."""

    @property
    def action(self) -> Literal["link", "create"]:
        """What to do with the record."""
        return "create" if self.customer_id is None else "link"


def match_identity(
    incoming: Iterable[Identifier],
    known: Iterable[KnownIdentity],
    *,
    never_merge: Collection[frozenset[UUID]] = (),
) -> MatchDecision:
    """Decide which customer a record with the `incoming` identifiers belongs to.

    `known` holds at least every identity that shares an identifier with the record; others do no
    harm. Trusted identifiers that point at different customers link to the one with the strongest
    (platform id, then e-mail, then phone; then the higher score, then the older customer), and the
    rest become candidates. Pairs in `never_merge` were told apart by a person: neither is proposed
    for the other. What is known to be shared by several people speaks for nobody. The order of the
    arguments' items does not matter.
    """
    matches = list(_shared(incoming, known))
    linking = [match for match in matches if match.link_rank]
    linked = min(linking, key=_strongest_first, default=None)
    others = (
        DuplicateCandidate(match.customer_id, match.score, match.evidence)
        for match in matches
        if match is not linked
        and (
            linked is None or frozenset({linked.customer_id, match.customer_id}) not in never_merge
        )
    )
    candidates = sorted(others, key=lambda candidate: (-candidate.score, candidate.customer_id))
    return MatchDecision(
        customer_id=linked.customer_id if linked else None,
        linked_by=tuple(e for e in linked.evidence if e.links) if linked else (),
        candidates=tuple(candidates[:MAX_CANDIDATES]),
        record_id=linked.record_id if linked else None,
    )


@dataclass(frozen=True, slots=True)
class _Match:
    """A customer, and all that the record shares with them; the weightiest first."""

    customer_id: UUID
    evidence: tuple[Evidence, ...]
    record_id: UUID | None

    @property
    def link_rank(self) -> int:
        """The rank of the strongest identifier that links by itself, 0 if none does."""
        return max((_RANK[e.kind] for e in self.evidence if e.links), default=0)

    @property
    def score(self) -> int:
        """The chance in per cent that not every piece of evidence is a coincidence (noisy or)."""
        coincidence = Fraction(1)
        for evidence in self.evidence:
            coincidence *= 1 - Fraction(evidence.weight, 100)
        return round(100 * (1 - coincidence))


def _strongest_first(match: _Match) -> tuple[int, int, UUID]:
    return -match.link_rank, -match.score, match.customer_id  # UUIDv7: the lower is the older.


def _shared(incoming: Iterable[Identifier], known: Iterable[KnownIdentity]) -> Iterator[_Match]:
    """Yield each customer who shares identifiers with the record, with one evidence for each."""
    trusted = _trust_by_key(incoming)
    known = list(known)
    of_several = {identity.identifier.key for identity in known if identity.shared}
    shared: dict[UUID, dict[tuple[str, ...], Evidence]] = {}
    linked: dict[UUID, list[tuple[int, UUID]]] = {}
    for identity in known:
        key = identity.identifier.key
        if key not in trusted or key in of_several:
            continue
        evidence = Evidence(
            kind=identity.identifier.kind,
            incoming_trusted=trusted[key],
            known_trusted=identity.identifier.trusted,
        )
        best = shared.setdefault(identity.customer_id, {})
        best[key] = max(best.get(key, evidence), evidence, key=lambda e: e.weight)
        if evidence.links:
            record_id = identity.record_id or identity.customer_id
            linked.setdefault(identity.customer_id, []).append((-_RANK[evidence.kind], record_id))
    for customer_id, by_key in shared.items():
        weightiest_first = sorted(by_key.items(), key=lambda item: (-item[1].weight, item[0]))
        records = linked.get(customer_id)
        yield _Match(
            customer_id,
            tuple(evidence for _, evidence in weightiest_first),
            min(records)[1] if records else None,
        )


def _trust_by_key(incoming: Iterable[Identifier]) -> dict[tuple[str, ...], bool]:
    """Each identifier of the record once: trusted if any of its mentions is."""
    trusted: dict[tuple[str, ...], bool] = {}
    for identifier in incoming:
        trusted[identifier.key] = trusted.get(identifier.key, False) or identifier.trusted
    return trusted
