"""What is wrong with a rule, told by the place of every fault."""

from shared.errors import FieldError, Invalid


class RuleInvalid(Invalid):
    """The rule cannot be used; `errors` points at each node at fault.

    Codes: `rule_too_deep`, `rule_too_large`, `node_shape`, `unknown_field`, `unknown_measure`,
    `operator_not_allowed`, `value_missing`, `value_not_allowed`, `value_type`, `value_range`,
    `duration`, `currency`, `require_known_not_allowed`, `field_not_here`.
    """

    code = "invalid_rule"
    title = "The rule is not valid"


class Faults:
    """Collects the faults of a rule while it is read."""

    def __init__(self) -> None:
        self.found: list[FieldError] = []

    def add(self, pointer: str, code: str, detail: str) -> None:
        """Note a fault at `pointer`."""
        self.found.append(FieldError(pointer, code, detail))

    def raise_if_any(self) -> None:
        """Raise RuleInvalid with everything found, if anything was."""
        if self.found:
            raise RuleInvalid(f"{len(self.found)} fault(s) in the rule", errors=self.found)


class FaultError(Exception):
    """One fault, raised where it is met and collected by the node that reads on."""

    def __init__(self, at: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.at = at
        self.code = code
        self.detail = detail
