"""The policy as a resource."""

from services.messaging.policies.records import Policy, PolicyRules
from services.messaging.policies.repository import PolicyRepository
from shared.web.resources import check_version


class PolicyService:
    """Reads and replaces a shop's policy."""

    def __init__(self, *, policies: PolicyRepository) -> None:
        self._policies = policies

    async def get(self) -> Policy:
        """The policy in force."""
        return await self._policies.get()

    async def replace(self, rules: PolicyRules, *, expected_version: int | None) -> Policy:
        """Put other rules in force, for every decision from now on. Raises PreconditionFailed."""
        current = await self._policies.lock()
        check_version(current.version, expected_version)
        if current.rules == rules:
            return current
        new = Policy(version=current.version + 1, rules=rules)
        await self._policies.change(new)
        return new
