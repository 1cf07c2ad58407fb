"""`/v1/assignment-rules`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response, status

from services.customer.assignment.deps import AssignmentServiceDep
from services.customer.assignment.schemas import (
    AssignmentAnswer,
    AssignmentQuestion,
    AssignmentRuleCreate,
    AssignmentRulePatch,
    AssignmentRuleRead,
    ShiftsRead,
    ShiftsWrite,
    SkillsRead,
    SkillsWrite,
)
from shared.db.paging import PageRequest
from shared.web.resources import Page, etag, if_match, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/assignment-rules", tag="assignment-rules")

_READ = requires("assignment_rules:read")
_WRITE = requires("assignment_rules:write")


@router.get("", operation_id="assignmentRules.list", dependencies=[_READ])
async def list_rules(
    rules: AssignmentServiceDep, request: Annotated[PageRequest, Depends(page_request)]
) -> Page[AssignmentRuleRead]:
    """List the rules in the order in which they are tried."""
    rows, cursor = await rules.page(request)
    data = [AssignmentRuleRead.model_validate(row._mapping) for row in rows]
    return Page(data=data, next_cursor=cursor)


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    operation_id="assignmentRules.create",
    dependencies=[_WRITE],
)
async def create_rule(
    body: AssignmentRuleCreate, response: Response, rules: AssignmentServiceDep
) -> AssignmentRuleRead:
    """Say who gets which new customers.

    It is applied as a customer is created without an owner, however they come. Who has an owner
    keeps them.
    """
    row = await rules.create(body)
    response.headers["location"] = f"/v1/assignment-rules/{row.id}"
    response.headers["etag"] = etag(row.version)
    return AssignmentRuleRead.model_validate(row._mapping)


@router.post("/explain", operation_id="assignmentRules.explain", dependencies=[_READ])
async def explain_rules(body: AssignmentQuestion, rules: AssignmentServiceDep) -> AssignmentAnswer:
    """Ask who would get a customer now, and why. Nobody's turn is taken by asking."""
    return await rules.explain(body)


@router.get("/{rule_id}", operation_id="assignmentRules.get", dependencies=[_READ])
async def get_rule(
    rule_id: UUID, response: Response, rules: AssignmentServiceDep
) -> AssignmentRuleRead:
    """Get a rule."""
    row = await rules.get(rule_id)
    response.headers["etag"] = etag(row.version)
    return AssignmentRuleRead.model_validate(row._mapping)


@router.patch("/{rule_id}", operation_id="assignmentRules.update", dependencies=[_WRITE])
async def update_rule(
    rule_id: UUID,
    body: AssignmentRulePatch,
    response: Response,
    rules: AssignmentServiceDep,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> AssignmentRuleRead:
    """Change a rule; customers who have come before stay whose they are."""
    row = await rules.change(rule_id, body, expected_version=expected_version)
    response.headers["etag"] = etag(row.version)
    return AssignmentRuleRead.model_validate(row._mapping)


@router.delete(
    "/{rule_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    operation_id="assignmentRules.delete",
    dependencies=[_WRITE],
)
async def delete_rule(
    rule_id: UUID,
    rules: AssignmentServiceDep,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> None:
    """Delete a rule; the log of what it decided stays."""
    await rules.remove(rule_id, expected_version=expected_version)


@router.get("/shifts/{staff_id}", operation_id="assignmentRules.getShifts", dependencies=[_READ])
async def get_shifts(staff_id: UUID, rules: AssignmentServiceDep) -> ShiftsRead:
    """Get when somebody works in a week, on the shop's clocks."""
    return await rules.shifts_of(staff_id)


@router.put(
    "/shifts/{staff_id}", operation_id="assignmentRules.replaceShifts", dependencies=[_WRITE]
)
async def replace_shifts(
    staff_id: UUID, body: ShiftsWrite, rules: AssignmentServiceDep
) -> ShiftsRead:
    """Say when somebody works in a week; what was said before is replaced."""
    return await rules.replace_shifts(staff_id, body)


@router.get("/skills/{staff_id}", operation_id="assignmentRules.getSkills", dependencies=[_READ])
async def get_skills(staff_id: UUID, rules: AssignmentServiceDep) -> SkillsRead:
    """Get what somebody can do."""
    return await rules.skills_of(staff_id)


@router.put(
    "/skills/{staff_id}", operation_id="assignmentRules.replaceSkills", dependencies=[_WRITE]
)
async def replace_skills(
    staff_id: UUID, body: SkillsWrite, rules: AssignmentServiceDep
) -> SkillsRead:
    """Say what somebody can do, in words of your own; what was said before is replaced.

    A rule with `skills` gives customers only to who can do all of them.
    """
    return await rules.replace_skills(staff_id, body)
