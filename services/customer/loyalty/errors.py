"""What can go wrong with points."""

from shared.errors import Conflict, NotFound


class NoProgramme(Conflict):
    """The shop has no loyalty programme, or it is paused."""

    code = "no_loyalty_programme"
    title = "The shop has no loyalty programme that is active"


class ProgrammeNotFound(NotFound):
    """The shop has decided on none so far."""

    code = "loyalty_programme_not_found"
    title = "There is no loyalty programme"


class RuleNotFound(NotFound):
    """No such rule in this tenant."""

    code = "loyalty_rule_not_found"
    title = "There is no such earning rule"


class TierNotFound(NotFound):
    """No such tier in this tenant."""

    code = "loyalty_tier_not_found"
    title = "There is no such tier"


class TierTaken(Conflict):
    """Two tiers cannot begin at the same threshold."""

    code = "loyalty_tier_taken"
    title = "Another tier begins at this threshold"


class RedemptionNotFound(NotFound):
    """No such redemption in this tenant."""

    code = "redemption_not_found"
    title = "There is no such redemption"


class RedemptionTooSmall(Conflict):
    """Fewer points than the programme lets spend at once."""

    code = "redemption_too_small"
    title = "The programme asks for more points at once"

    def __init__(self, least: int) -> None:
        super().__init__(extensions={"min_redemption": least})


class InsufficientPoints(Conflict):
    """More points than there are to spend. Nothing was taken."""

    code = "insufficient_points"
    title = "There are not enough points"

    def __init__(self, available: int) -> None:
        super().__init__(extensions={"available": available})
