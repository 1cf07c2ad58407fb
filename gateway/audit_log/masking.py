"""What is left of an entry for those who may not see personal data.

The edge masks what has a telling name of its own, such as `email` (`shared/pii.py`). Of the rest
only the entry knows better: a `name` is personal where a customer is its subject and not where a
segment is, a `title` may say anything where a task is and nothing where a form is, and a query says
in its values whom somebody has looked for.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

from shared.pii import PiiKind, mask

_OF_CUSTOMERS: Final[Mapping[str, PiiKind]] = {
    "name": "name",
    "full_name": "name",
    "emails": "email",
    "phones": "phone",
}
_OF_ORDERS: Final[Mapping[str, PiiKind]] = dict.fromkeys(
    (
        *("note", "cancel_reason", "reason", "reference", "tracking_number", "tracking_url"),
        *("billing_address", "shipping_address", "further_shipping_addresses"),
        *("landing_page", "referrer"),
    ),
    "words",
)
# By what reads of them mark: `tests/architecture/test_personal_data.py` holds the one to the other.
_OF: Final[Mapping[str, Mapping[str, PiiKind]]] = {
    "customer": _OF_CUSTOMERS,
    "order": _OF_ORDERS,
    "address": {"recipient_name": "name", "full_address": "address", "street": "address"},
    "appointment": {"title": "words", "place": "address", "note": "words"},
    "contact": {"name": "name", "note": "words"},
    "identity": {"value": "contact", "original": "contact", "reason": "words"},
    "import": {"changes": "sensitive"},
    "interaction": {"text": "words"},
    "lead": {"name": "name", "source_page": "words"},
    "note": {"text": "words"},
    "review": {"title": "words", "text": "words", "author_name": "name"},
    "task": {"title": "words", "note": "words"},
    "ticket": {"name": "name"},
}
_HIDDEN: Final = "***"
_PARAMETER: Final = re.compile(r"[a-z][a-z_.]{0,40}(\[[a-z]{1,10}\])?")


def masked(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry's columns without what is personal of its subjects and the values of a query."""
    kinds: dict[str, PiiKind] = {}
    for subject in entry["subjects"]:
        kinds |= _OF.get(subject["object"], {})
    changes = _without(kinds, entry["changes"]) if kinds else entry["changes"]
    detail = dict(entry["detail"])
    if "query" in detail:
        detail["query"] = _parameters_of(str(detail["query"]))
    return {**entry, "changes": changes, "detail": detail}


def _without(kinds: Mapping[str, PiiKind], value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: _all_masked(kinds[name], item) if name in kinds else _without(kinds, item)
            for name, item in value.items()
        }
    return [_without(kinds, item) for item in value] if _is_list(value) else value


def _all_masked(kind: PiiKind, value: Any) -> Any:
    """Every text in a value, whether it is one, a list of them or a change of them."""
    if isinstance(value, Mapping):
        return {name: _all_masked(kind, item) for name, item in value.items()}
    if _is_list(value):
        return [_all_masked(kind, item) for item in value]
    return mask(kind, value) if isinstance(value, str) else value


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _parameters_of(query: str) -> str:
    """The names of a query's parameters: a query without names is a value by itself."""
    names = [name for name, _ in parse_qsl(query, keep_blank_values=True)]
    return "&".join(f"{n}={_HIDDEN}" if _PARAMETER.fullmatch(n) else _HIDDEN for n in names)
