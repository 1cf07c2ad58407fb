"""`/v1/quality`, and the quality of one customer."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response, status

from services.customer.customers.schemas import Source
from services.customer.quality.deps import QualityServiceDep
from services.customer.quality.rules import Problem
from services.customer.quality.schemas import (
    CustomerQualityRead,
    CustomerWithProblem,
    QualityPolicyPut,
    QualityPolicyRead,
    QualityReport,
)
from shared.db.paging import PageRequest
from shared.jobs.schemas import JobRead
from shared.languages import preferred_language
from shared.web.languages import AcceptLanguage
from shared.web.resources import Page, etag, if_match, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1", tag="quality")

_READ = requires("quality:read")
_WRITE = requires("quality:write")


@router.get(
    "/customers/{customer_id}/quality",
    operation_id="customers.getQuality",
    dependencies=[requires("customers:read")],
)
async def get_quality(
    customer_id: UUID, quality: QualityServiceDep, accept_language: AcceptLanguage = None
) -> CustomerQualityRead:
    """Get how good what we know of a customer is: score, rules, problems and how to mend them.

    It is of the person, through all their records, and as it is now.
    """
    language = preferred_language(accept_language) or "vi"
    return await quality.of(customer_id, language=language)


@router.get("/quality/problems", operation_id="quality.listProblems", dependencies=[_READ])
async def list_problems(
    quality: QualityServiceDep,
    request: Annotated[PageRequest, Depends(page_request)],
    problem: Annotated[Problem, Query(description="Which one", examples=["missing_phone"])],
    source: Source | None = None,
) -> Page[CustomerWithProblem]:
    """List the customers who have a problem, who came first first; a moment behind changes."""
    rows, cursor = await quality.page_with(problem, source=source, request=request)
    data = [CustomerWithProblem.model_validate(row._mapping) for row in rows]
    return Page(data=data, next_cursor=cursor)


@router.get("/quality/report", operation_id="quality.report", dependencies=[_READ])
async def get_report(quality: QualityServiceDep) -> QualityReport:
    """Get the quality of all data by source: scores, problems, and what was rewritten how.

    A moment behind changes. What came as it should be counts as `phone_as_given` and the like.
    """
    return await quality.report()


@router.post(
    "/quality/reviews",
    status_code=status.HTTP_202_ACCEPTED,
    operation_id="quality.review",
    dependencies=[_WRITE],
)
async def start_review(quality: QualityServiceDep, response: Response) -> JobRead:
    """Judge every customer anew; `Location` is the job to follow. It is done every night, too."""
    job = await quality.review()
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job


@router.get("/quality/policy", operation_id="quality.getPolicy", dependencies=[_READ])
async def get_policy(response: Response, quality: QualityServiceDep) -> QualityPolicyRead:
    """Get what the rules of data quality weigh."""
    policy = await quality.policy()
    response.headers["etag"] = etag(policy.version)
    return policy


@router.put("/quality/policy", operation_id="quality.putPolicy", dependencies=[_WRITE])
async def put_policy(
    body: QualityPolicyPut,
    response: Response,
    quality: QualityServiceDep,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> QualityPolicyRead:
    """Decide what the rules of data quality weigh; a job judges everybody by them at once."""
    policy = await quality.decide(body, expected_version=expected_version)
    response.headers["etag"] = etag(policy.version)
    return policy
