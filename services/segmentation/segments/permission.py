"""What a caller may ask about: who is not shown a value may not guess it by rules either."""

from collections.abc import Container, Mapping
from typing import Any

from services.segmentation.rules import parse_rule, personal_leaves
from services.segmentation.segments.errors import PersonalRule
from shared.errors import FieldError
from shared.pii import PII_READ
from shared.security.principal import Principal


def check_may_ask(principal: Principal, rule: Mapping[str, Any], *, marked: Container[str]) -> None:
    """Raises PersonalRule when the rule of a request asks about what its caller may not see."""
    if PII_READ in principal.scopes:
        return
    faults = [
        FieldError(f"{leaf.pointer}/field", "personal_field", f"{leaf.field.name} is personal data")
        for leaf in personal_leaves(parse_rule(rule, pointer="/body/rule"), marked)
    ]
    if faults:
        raise PersonalRule(faults)
