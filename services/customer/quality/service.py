"""What clients may know of the quality of data, and decide about it."""

from collections import defaultdict
from collections.abc import Mapping
from uuid import UUID

from services.customer.customers.errors import CustomerNotFound
from services.customer.families.seen import SeenPeople
from services.customer.quality.judging import Judge, Judged, weights_of
from services.customer.quality.repository import QualityRepository
from services.customer.quality.rules import FIELDS, Problem, RuleName, mending
from services.customer.quality.schemas import (
    KIND,
    CustomerQualityRead,
    ProblemRead,
    ProblemShare,
    QualityPolicyPut,
    QualityPolicyRead,
    QualityReport,
    RewritingCount,
    RuleResult,
    SourceQuality,
)
from services.customer.quality.texts import HOW_TO_MEND
from shared.db.paging import PageRequest
from shared.db.prepared import Rows
from shared.db.unit_of_work import UnitOfWork
from shared.errors import Forbidden
from shared.jobs.repository import JobRepository
from shared.jobs.schemas import JobRead
from shared.jobs.work import JobKinds
from shared.languages import Language
from shared.security.sight import Sight
from shared.web.resources import check_version


class QualityService:
    """The quality of the data of one shop, as far as the caller sees its customers."""

    def __init__(
        self,
        uow: UnitOfWork,
        *,
        quality: QualityRepository,
        people: SeenPeople,
        jobs: JobRepository,
        kinds: JobKinds,
        sight: Sight | None,
    ) -> None:
        self._uow = uow
        self._quality = quality
        self._people = people
        self._jobs = jobs
        self._kinds = kinds
        self._sight = sight

    async def of(self, customer_id: UUID, *, language: Language) -> CustomerQualityRead:
        """A person, judged now. Raises CustomerNotFound, also for who was removed."""
        family, _ = await self._people.person(customer_id)
        weights = weights_of(await self._quality.policy())
        judged = await Judge(self._uow).look_at([family.root_id], weights=weights)
        if not judged:
            raise CustomerNotFound
        return _read(judged[0], weights, language)

    async def page_with(
        self, problem: Problem, *, source: str | None, request: PageRequest
    ) -> tuple[Rows, str | None]:
        """A page of those who have a problem, and the next cursor."""
        return await self._quality.page_with(problem, source=source, request=request)

    async def report(self) -> QualityReport:
        """The sums by source. Raises Forbidden for callers who do not see everybody."""
        self._require_all()
        by_source: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for row in await self._quality.sums():
            by_source[row.source][row.measure] = row.amount
        sources = [_source(name, sums) for name, sums in by_source.items() if "customers" in sums]
        customers = sum(source.customers for source in sources)
        scores = sum(sums.get("score", 0) for sums in by_source.values())
        return QualityReport(
            customers=customers,
            average_score=round(scores / customers, 1) if customers else None,
            data=sources,
        )

    async def policy(self) -> QualityPolicyRead:
        """What the rules weigh."""
        row = await self._quality.policy()
        return QualityPolicyRead(weights=weights_of(row), version=row.version if row else 0)

    async def decide(
        self, given: QualityPolicyPut, *, expected_version: int | None
    ) -> QualityPolicyRead:
        """Other weights from now on; everybody is judged by them in a job.

        Raises PreconditionFailed; Forbidden for callers who do not see everybody.
        """
        self._require_all()
        before = await self._quality.lock_policy()
        check_version(before.version, expected_version)
        after = await self._quality.decide(given.weights.model_dump())
        await self._begin_review()
        return QualityPolicyRead(weights=weights_of(after), version=after.version)

    async def review(self) -> JobRead:
        """A job that judges everybody anew. Raises Forbidden."""
        self._require_all()
        return await self._begin_review()

    async def _begin_review(self) -> JobRead:
        job_id = await self._jobs.add(KIND, detail={})
        self._kinds.wake_after_commit(self._uow)
        return self._kinds.described(await self._jobs.get(job_id))

    def _require_all(self) -> None:
        if self._sight is not None:
            raise Forbidden("The quality of all data is for those who see all customers")


def _read(
    judged: Judged, weights: Mapping[RuleName, int], language: Language
) -> CustomerQualityRead:
    return CustomerQualityRead(
        customer_id=judged.customer_id,
        source=judged.source,
        score=judged.judgement.score,
        rules=[
            RuleResult(rule=each.rule, weight=weights[each.rule], met=each.halves / 2)
            for each in judged.judgement.findings
        ],
        problems=[
            ProblemRead(
                code=problem,
                field=FIELDS[problem],
                how_to_mend=HOW_TO_MEND[problem][language],
                suggestion=mending(problem, judged.known),
            )
            for problem in judged.judgement.problems
        ],
        rewritings=list(judged.rewritings),
    )


def _source(name: str, sums: Mapping[str, int]) -> SourceQuality:
    customers = sums["customers"]
    problems = _counted(sums, "problem:")
    return SourceQuality(
        source=name,
        customers=customers,
        average_score=round(sums.get("score", 0) / customers, 1),
        problems=[
            ProblemShare.model_validate(
                {"problem": problem, "customers": count, "share": round(count / customers, 4)}
            )
            for problem, count in problems
        ],
        rewritings=[
            RewritingCount.model_validate({"rewriting": rewriting, "count": count})
            for rewriting, count in _counted(sums, "rewriting:")
        ],
    )


def _counted(sums: Mapping[str, int], prefix: str) -> list[tuple[str, int]]:
    """What begins so, the commonest first."""
    found = [(n.removeprefix(prefix), count) for n, count in sums.items() if n.startswith(prefix)]
    return sorted(found, key=lambda each: (-each[1], each[0]))
