"""`/v1/retention`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response, status

from services.customer.privacy.laws import LawName
from services.customer.retention.deps import RetentionServiceDep
from services.customer.retention.presets import PRESETS
from services.customer.retention.schemas import (
    RetentionCatalogue,
    RetentionErasureRead,
    RetentionPresetRead,
    RetentionPresetRule,
    RetentionPresets,
    RetentionRuleCreate,
    RetentionRulePatch,
    RetentionRuleRead,
    RetentionRules,
    RetentionRunCreate,
    RetentionRunRead,
)
from services.customer.retention.views import rule_view, run_view
from shared.db.paging import PageRequest
from shared.jobs.schemas import JobRead
from shared.web.resources import Page, etag, if_match, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/retention", tag="retention")

_READ = requires("retention:read")
_WRITE = requires("retention:write")
Paging = Annotated[PageRequest, Depends(page_request)]
IsDry = Annotated[bool, Query(description="Say what would happen, and change nothing")]
ExpectedVersion = Annotated[int | None, Depends(if_match)]


@router.get("/catalogue", operation_id="retention.getCatalogue", dependencies=[_READ])
async def get_catalogue(retention: RetentionServiceDep) -> RetentionCatalogue:
    """Get what rules can speak of: data, clocks, and what the law wants kept."""
    return await retention.catalogue()


@router.get("/presets", operation_id="retention.listPresets", dependencies=[_READ])
async def list_presets() -> RetentionPresets:
    """List the collections of rules that go with laws."""
    return RetentionPresets(
        data=[
            RetentionPresetRead(
                name=law,
                rules=[
                    RetentionPresetRule.model_validate(rule, from_attributes=True) for rule in rules
                ],
            )
            for law, rules in PRESETS.items()
        ]
    )


@router.post(
    "/presets/{preset}/adoption",
    status_code=status.HTTP_201_CREATED,
    operation_id="retention.adoptPreset",
    dependencies=[_WRITE],
)
async def adopt_preset(preset: LawName, retention: RetentionServiceDep) -> RetentionRules:
    """Make all rules of a collection the shop's own. They rest until they are made active."""
    rows = await retention.adopt(preset)
    return RetentionRules(data=[rule_view(row) for row in rows])


@router.get("/rules", operation_id="retention.listRules", dependencies=[_READ])
async def list_rules(retention: RetentionServiceDep, request: Paging) -> Page[RetentionRuleRead]:
    """List the retention rules, newest first."""
    rows, cursor = await retention.page(request)
    data = [rule_view(row) for row in rows]
    return Page(data=data, next_cursor=cursor)


@router.post(
    "/rules",
    status_code=status.HTTP_201_CREATED,
    operation_id="retention.createRule",
    dependencies=[_WRITE],
)
async def create_rule(
    body: RetentionRuleCreate, response: Response, retention: RetentionServiceDep
) -> RetentionRuleRead:
    """Say how long something is kept. Nothing happens by it before it is active.

    A person is judged as one, through all their records. Refused is what the law wants kept
    longer, with `below_legal_minimum` or `kept_by_law`.
    """
    row = await retention.create(body)
    response.headers["location"] = f"/v1/retention/rules/{row.id}"
    response.headers["etag"] = etag(row.version)
    return rule_view(row)


@router.get("/rules/{rule_id}", operation_id="retention.getRule", dependencies=[_READ])
async def get_rule(
    rule_id: UUID, response: Response, retention: RetentionServiceDep
) -> RetentionRuleRead:
    """Get a retention rule."""
    row = await retention.get(rule_id)
    response.headers["etag"] = etag(row.version)
    return rule_view(row)


@router.patch("/rules/{rule_id}", operation_id="retention.updateRule", dependencies=[_WRITE])
async def update_rule(
    rule_id: UUID,
    body: RetentionRulePatch,
    response: Response,
    retention: RetentionServiceDep,
    expected_version: ExpectedVersion,
) -> RetentionRuleRead:
    """Change a retention rule. A run that is at it leaves it at once."""
    row = await retention.change(rule_id, body, expected_version=expected_version)
    response.headers["etag"] = etag(row.version)
    return rule_view(row)


@router.delete(
    "/rules/{rule_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    operation_id="retention.deleteRule",
    dependencies=[_WRITE],
)
async def delete_rule(
    rule_id: UUID, retention: RetentionServiceDep, expected_version: ExpectedVersion
) -> None:
    """Delete a retention rule; what came of it stays in the runs."""
    await retention.remove(rule_id, expected_version=expected_version)


@router.post(
    "/runs",
    status_code=status.HTTP_202_ACCEPTED,
    operation_id="retention.startRun",
    dependencies=[_WRITE],
)
async def start_run(
    body: RetentionRunCreate,
    response: Response,
    retention: RetentionServiceDep,
    *,
    dry_run: IsDry = False,
) -> JobRead:
    """Follow the rules now, looking at everybody; `Location` is the job to follow.

    Counts by rule are the run's, which has the job's id; samples are in the job's `detail`, and the
    list of whom it concerns and what of them is its `result`.
    """
    job = await retention.start(body, is_dry=dry_run)
    response.headers["location"] = f"/v1/jobs/{job.id}"
    return job


@router.get("/runs", operation_id="retention.listRuns", dependencies=[_READ])
async def list_runs(retention: RetentionServiceDep, request: Paging) -> Page[RetentionRunRead]:
    """List the runs of the retention rules, newest first."""
    rows, cursor = await retention.run_page(request)
    return Page(data=[run_view(row) for row in rows], next_cursor=cursor)


@router.get("/runs/{run_id}", operation_id="retention.getRun", dependencies=[_READ])
async def get_run(run_id: UUID, retention: RetentionServiceDep) -> RetentionRunRead:
    """Get a run of the retention rules: when, by whom, and what came of each rule."""
    return run_view(await retention.run(run_id))


@router.get("/runs/{run_id}/erasures", operation_id="retention.listErasures", dependencies=[_READ])
async def list_erasures(
    run_id: UUID, retention: RetentionServiceDep, request: Paging
) -> Page[RetentionErasureRead]:
    """List the people whom a run has made anonymous, with their signed receipts.

    A receipt is there once every service has confirmed the erasure; it is checked like those of
    privacy requests.
    """
    rows, cursor = await retention.erasures(run_id, request)
    data = [RetentionErasureRead.model_validate(row._mapping) for row in rows]
    return Page(data=data, next_cursor=cursor)
