"""What can go wrong with service levels."""

from shared.errors import NotFound


class SlaPolicyNotFound(NotFound):
    """No such policy in this tenant."""

    code = "sla_policy_not_found"
    title = "There is no such SLA policy"
