import random
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.customer.customers.identity_match import (
    MAX_CANDIDATES,
    DuplicateCandidate,
    Evidence,
    Identifier,
    IdentifierKind,
    KnownIdentity,
    MatchDecision,
    match_identity,
)

ANH, BINH, CHI = (UUID(int=number) for number in (1, 2, 3))
SHOPIFY, WOO = "shopify", "woocommerce"


def platform_id(value: str, source: str = SHOPIFY) -> Identifier:
    return Identifier("platform_id", value, source)


def email(value: str, *, verified: bool, source: str = SHOPIFY) -> Identifier:
    return Identifier("email", value, source, verified)


def phone(value: str, *, verified: bool, source: str = SHOPIFY) -> Identifier:
    return Identifier("phone", value, source, verified)


def candidate_ids(decision: MatchDecision) -> list[UUID]:
    return [candidate.customer_id for candidate in decision.candidates]


class TestLinking:
    def test_a_known_platform_id_links(self) -> None:
        decision = match_identity([platform_id("7")], [KnownIdentity(ANH, platform_id("7"))])
        assert (decision.action, decision.customer_id) == ("link", ANH)
        assert [evidence.code for evidence in decision.linked_by] == ["same_platform_id"]
        assert decision.candidates == ()

    def test_a_platform_id_means_nothing_on_another_platform(self) -> None:
        decision = match_identity([platform_id("7", WOO)], [KnownIdentity(ANH, platform_id("7"))])
        assert decision == MatchDecision(None, (), ())

    @pytest.mark.parametrize("make", [email, phone])
    def test_an_identifier_verified_on_both_sides_links_across_platforms(
        self, make: Callable[..., Identifier]
    ) -> None:
        incoming = [platform_id("9", WOO), make("x", verified=True, source=WOO)]
        known = [KnownIdentity(ANH, platform_id("7")), KnownIdentity(ANH, make("x", verified=True))]
        decision = match_identity(incoming, known)
        assert decision.customer_id == ANH
        assert [(e.links, e.kind) for e in decision.linked_by] == [
            (True, make("x", verified=True).kind)
        ]

    def test_a_record_without_identifiers_is_a_new_customer(self) -> None:
        decision = match_identity([], [KnownIdentity(ANH, platform_id("7"))])
        assert (decision.action, decision.customer_id) == ("create", None)

    def test_one_verified_mention_makes_the_identifier_trusted(self) -> None:
        incoming = [email("a@x.vn", verified=False), email("a@x.vn", verified=True)]
        known = [KnownIdentity(ANH, email("a@x.vn", verified=True, source=WOO))]
        assert match_identity(incoming, known).customer_id == ANH


class TestClaims:
    @pytest.mark.parametrize(
        ("incoming_verified", "known_verified", "score"),
        [(False, True, 60), (True, False, 60), (False, False, 50)],
    )
    def test_an_email_claimed_on_either_side_only_suggests(
        self, incoming_verified: bool, known_verified: bool, score: int
    ) -> None:
        decision = match_identity(
            [platform_id("8"), email("a@x.vn", verified=incoming_verified)],
            [KnownIdentity(ANH, email("a@x.vn", verified=known_verified))],
        )
        reason = Evidence("email", incoming_verified, known_verified)
        assert decision == MatchDecision(None, (), (DuplicateCandidate(ANH, score, (reason,)),))
        assert reason.code == "same_email_claimed"

    def test_two_claims_weigh_more_than_one(self) -> None:
        incoming = [email("a@x.vn", verified=False), phone("+84912345678", verified=False)]
        known = [
            KnownIdentity(ANH, phone("+84912345678", verified=False)),
            KnownIdentity(ANH, email("a@x.vn", verified=False)),
            KnownIdentity(BINH, email("a@x.vn", verified=False)),
        ]
        decision = match_identity(incoming, known)
        assert [(c.customer_id, c.score) for c in decision.candidates] == [(ANH, 70), (BINH, 50)]
        assert [reason.kind for reason in decision.candidates[0].reasons] == ["email", "phone"]

    def test_a_claim_of_the_linked_customers_own_is_no_duplicate(self) -> None:
        incoming = [platform_id("7"), phone("+84912345678", verified=False)]
        known = [
            KnownIdentity(ANH, platform_id("7")),
            KnownIdentity(ANH, phone("+84912345678", verified=False)),
        ]
        decision = match_identity(incoming, known)
        assert decision.customer_id == ANH
        assert [evidence.code for evidence in decision.linked_by] == ["same_platform_id"]
        assert decision.candidates == ()

    def test_the_same_identifier_from_two_sources_counts_once_at_its_best(self) -> None:
        known = [
            KnownIdentity(ANH, email("a@x.vn", verified=False)),
            KnownIdentity(ANH, email("a@x.vn", verified=True, source=WOO)),
        ]
        for order in (known, known[::-1]):
            decision = match_identity([email("a@x.vn", verified=False)], order)
            assert [candidate.score for candidate in decision.candidates] == [60]

    def test_a_number_that_everybody_uses_does_not_flood_the_list(self) -> None:
        shop = phone("+84900000000", verified=False)
        known = [KnownIdentity(UUID(int=number), shop) for number in range(1, 1_000)]
        decision = match_identity([shop], known)
        assert candidate_ids(decision) == [UUID(int=n) for n in range(1, MAX_CANDIDATES + 1)]


class TestConflicts:
    known = (
        KnownIdentity(CHI, platform_id("7")),
        KnownIdentity(BINH, email("a@x.vn", verified=True)),
        KnownIdentity(ANH, phone("+84912345678", verified=True)),
    )

    def test_the_platform_id_wins_and_the_others_become_candidates(self) -> None:
        incoming = [known.identifier for known in self.known]
        decision = match_identity(incoming, self.known)
        assert decision.customer_id == CHI
        assert [(c.customer_id, c.score) for c in decision.candidates] == [(BINH, 95), (ANH, 90)]
        assert all(reason.links for c in decision.candidates for reason in c.reasons)

    def test_an_email_wins_over_a_phone(self) -> None:
        decision = match_identity([known.identifier for known in self.known[1:]], self.known)
        assert (decision.customer_id, candidate_ids(decision)) == (BINH, [ANH])

    def test_equal_kinds_are_decided_by_all_the_evidence(self) -> None:
        incoming = [email("a@x.vn", verified=True), email("b@x.vn", verified=True)]
        incoming.append(phone("+84911111111", verified=False))
        known = [
            KnownIdentity(ANH, email("a@x.vn", verified=True)),
            KnownIdentity(BINH, email("b@x.vn", verified=True)),
            KnownIdentity(BINH, phone("+84911111111", verified=False)),
        ]
        assert match_identity(incoming, known).customer_id == BINH

    def test_the_older_customer_wins_where_all_is_equal(self) -> None:
        shared = email("a@x.vn", verified=True)
        decision = match_identity(
            [shared], [KnownIdentity(BINH, shared), KnownIdentity(ANH, shared)]
        )
        assert (decision.customer_id, candidate_ids(decision)) == (ANH, [BINH])

    def test_two_that_a_person_told_apart_are_not_proposed_again(self) -> None:
        incoming = [known.identifier for known in self.known]
        apart = {frozenset({CHI, BINH}), frozenset({ANH, BINH})}
        decision = match_identity(incoming, self.known, never_merge=apart)
        assert (decision.customer_id, candidate_ids(decision)) == (CHI, [ANH])


kinds: st.SearchStrategy[IdentifierKind] = st.sampled_from(["platform_id", "email", "phone"])
identifiers = st.builds(
    Identifier,
    kind=kinds,
    value=st.sampled_from(["a", "b", "c"]),
    source=st.sampled_from([SHOPIFY, WOO]),
    verified=st.booleans(),
)
customers = st.sampled_from([UUID(int=number) for number in range(1, 6)])
records = st.lists(identifiers, max_size=5)
knowledge = st.lists(st.builds(KnownIdentity, customers, identifiers), max_size=12)
pairs = st.sets(st.sets(customers, min_size=2, max_size=2).map(frozenset), max_size=4)


def same(one: Identifier, other: Identifier) -> bool:
    if one.kind == "platform_id" and one.source != other.source:
        return False
    return (one.kind, one.value) == (other.kind, other.value)


def trusted(identifier: Identifier) -> bool:
    return identifier.kind == "platform_id" or identifier.verified


def links(record: list[Identifier], known: list[KnownIdentity], customer: UUID, kind: str) -> bool:
    return any(
        trusted(mine) and trusted(theirs.identifier) and same(mine, theirs.identifier)
        for mine in record
        for theirs in known
        if theirs.customer_id == customer and mine.kind == kind
    )


class TestLaws:
    @given(records, knowledge)
    def test_links_to_a_holder_of_the_strongest_trusted_identifier_or_to_nobody(
        self, record: list[Identifier], known: list[KnownIdentity]
    ) -> None:
        customers = {identity.customer_id for identity in known}
        allowed: set[UUID | None] = {None}
        for kind in ("platform_id", "email", "phone"):
            holders = {c for c in customers if links(record, known, c, kind)}
            if holders:
                allowed = set(holders)
                break
        assert match_identity(record, known).customer_id in allowed

    @given(records, knowledge, pairs)
    def test_everybody_else_who_shares_anything_is_a_candidate(
        self, record: list[Identifier], known: list[KnownIdentity], apart: set[frozenset[UUID]]
    ) -> None:
        decision = match_identity(record, known, never_merge=apart)
        sharing = {k.customer_id for k in known for i in record if same(i, k.identifier)}
        told_apart = {c for pair in apart if decision.customer_id in pair for c in pair}
        expected = sharing - {decision.customer_id} - told_apart
        assert set(candidate_ids(decision)) == expected
        assert len(decision.candidates) == len(expected)

    @given(records, knowledge)
    def test_scores_are_one_minus_the_chance_that_all_is_coincidence(
        self, record: list[Identifier], known: list[KnownIdentity]
    ) -> None:
        weights = {"email": {0: 50, 1: 60, 2: 95}, "phone": {0: 40, 1: 50, 2: 90}}
        decision = match_identity(record, known)
        for candidate in decision.candidates:
            best: dict[tuple[str, ...], int] = {}
            for mine in record:
                for theirs in known:
                    if theirs.customer_id == candidate.customer_id and same(
                        mine, theirs.identifier
                    ):
                        sides = trusted(mine) + trusted(theirs.identifier)
                        weight = 100 if mine.kind == "platform_id" else weights[mine.kind][sides]
                        key = (mine.kind, mine.value, mine.source * (mine.kind == "platform_id"))
                        best[key] = max(best.get(key, 0), weight)
            coincidence = Fraction(1)
            for weight in best.values():
                coincidence *= Fraction(100 - weight, 100)
            assert candidate.score == round(100 - 100 * coincidence)
            assert len(candidate.reasons) == len(best)
            assert 1 <= candidate.score <= 100
        scores = [candidate.score for candidate in decision.candidates]
        assert scores == sorted(scores, reverse=True)

    @given(records, knowledge)
    def test_claims_alone_never_link(
        self, record: list[Identifier], known: list[KnownIdentity]
    ) -> None:
        claims = [replace(i, verified=False) for i in record if i.kind != "platform_id"]
        assert match_identity(claims, known).action == "create"

    @given(records, knowledge, st.randoms(use_true_random=False))
    def test_the_order_of_the_input_does_not_matter(
        self, record: list[Identifier], known: list[KnownIdentity], shuffler: random.Random
    ) -> None:
        decision = match_identity(record, known)
        shuffler.shuffle(record)
        shuffler.shuffle(known)
        assert match_identity(record, known) == decision

    @given(records, knowledge)
    def test_what_somebody_else_claims_never_changes_whom_a_record_links_to(
        self, record: list[Identifier], known: list[KnownIdentity]
    ) -> None:
        stranger = UUID(int=99)
        claims = [replace(i, verified=False) for i in record if i.kind != "platform_id"]
        intruding = [KnownIdentity(stranger, claim) for claim in claims]
        decision = match_identity(record, [*known, *intruding])
        assert decision.customer_id == match_identity(record, known).customer_id
        assert decision.customer_id != stranger


def test_what_several_people_share_speaks_for_nobody() -> None:
    number = phone("+84912345678", verified=True)
    known = [
        KnownIdentity(ANH, replace(number, verified=False), shared=True),
        KnownIdentity(BINH, number),
    ]
    assert match_identity([number], known) == MatchDecision(None, (), ())
    decision = match_identity([number, email("x", verified=False)], [
        *known, KnownIdentity(CHI, email("x", verified=False)),
    ])  # fmt: skip
    assert candidate_ids(decision) == [CHI]
