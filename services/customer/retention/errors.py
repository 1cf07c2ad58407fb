"""What can go wrong with retention rules."""

from uuid import UUID

from shared.errors import Conflict, NotFound


class RetentionRuleNotFound(NotFound):
    """No such rule in this tenant."""

    code = "retention_rule_not_found"
    title = "There is no such retention rule"


class RetentionRunNotFound(NotFound):
    """No such run in this tenant."""

    code = "retention_run_not_found"
    title = "There is no such run of retention rules"


class RetentionPresetNotFound(NotFound):
    """No collection of rules goes by this name."""

    code = "retention_preset_not_found"
    title = "There is no such collection of retention rules"


class TooManyRetentionRules(Conflict):
    """A shop has as many rules as it may have."""

    code = "too_many_retention_rules"
    title = "The shop has as many retention rules as it may have"


class NothingToFollow(Conflict):
    """A run without rules would say that all is well."""

    code = "no_active_retention_rules"
    title = "None of the retention rules is active"


class RetentionRunInProgress(Conflict):
    """Two runs at a time would empty the same twice."""

    code = "retention_run_in_progress"
    title = "A run of the retention rules is in progress"

    def __init__(self, run_id: UUID | None) -> None:
        super().__init__(extensions={"run_id": str(run_id) if run_id is not None else None})
