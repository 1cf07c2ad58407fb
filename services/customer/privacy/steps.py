"""How a request can go on. Pure."""

from typing import Any, Final

from sqlalchemy import Row

from services.customer.privacy.schemas import RequestStep

EXECUTABLE: Final = frozenset({"access", "portability", "erasure"})
"""What is done by the house itself, once it is known who asks."""
WITH_FILE: Final = frozenset({"access", "portability"})
"""What ends with a file for the person."""
AT_ONCE: Final = frozenset({"restriction", "objection", "withdrawal"})
"""What protects the person and harms nobody: done as soon as it is asked for."""


def allowed_steps(row: Row[*tuple[Any, ...]]) -> list[RequestStep]:
    """What can be done with a request as it stands."""
    if row.closed_at is not None:
        return []
    steps: list[RequestStep] = []
    if row.identity_check is None:
        steps.append("check_identity")
    if row.acknowledged_at is None:
        steps.append("acknowledge")
    if row.extended_at is None:
        steps.append("extend")
    if row.status == "in_progress":
        # What has been begun ends by itself; a file that is ready has to be handed over.
        if row.kind not in WITH_FILE:
            return steps
        return [*steps, "complete", "make_file"] if row.job_id is not None else [*steps, "complete"]
    if row.kind in EXECUTABLE:
        steps.append("execute")
    else:
        steps.append("complete")
    return [*steps, "refuse", "cancel"]
