"""The policy as clients write and read it."""

from typing import Literal

from services.messaging.policies.records import PolicyRules


class PolicyRead(PolicyRules):
    """What a shop allows itself to send."""

    object: Literal["policy"] = "policy"
    version: int


class PolicyReplace(PolicyRules):
    """The whole policy; what is left out is its default."""
