"""Bodies that an operation accepts, made from its schema."""

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, Final

from tests.isolation.kinds import kind_of
from tests.isolation.operations import Description, Json, Operation, alternatives, is_list

ValueOf = Callable[[str, str], Any]
"""The value for the place with this name, for an object of this kind."""

_fresh = count(1)
_A_DAY: Final = "2027-03-01T09:00:00Z"
_PASSWORD: Final = "nam-sau-bay-tam-chin"
_MONEY: Final = {"amount": "1250000", "currency": "VND"}
_RULE: Final = {"field": "profile.orders_count", "op": "gte", "value": 2}


def fresh(prefix: str) -> str:
    """A short word that was not used before, of always the same length."""
    return f"{prefix}{next(_fresh):08d}"


GIVEN: Mapping[str, Callable[[], Json]] = {
    "apiKeys.create": lambda: {"scopes": ["customers:read"]},
    "appointments.create": lambda: {
        "starts_at": _A_DAY,
        "ends_at": "2027-03-01T10:00:00Z",
        "overbook": True,
    },
    "appointments.update": lambda: {"title": "Another title"},
    "assignmentRules.replaceShifts": lambda: {
        "shifts": [{"weekday": 1, "starts": "08:00", "ends": "17:00"}]
    },
    "assignmentRules.replaceSkills": lambda: {"skills": ["tiếng Anh"]},
    "assignmentRules.update": lambda: {"name": "Another name"},
    "automations.create": lambda: {"key": fresh("automation")},
    "connections.create": lambda: {"kind": "platform", "platform": "shopify"},
    "connections.update": lambda: {"name": "Another name"},
    "customFields.create": lambda: {
        "key": fresh("field_"),
        "type": "text",
        "options": [],
        "currency": None,
    },
    "customFields.update": lambda: {"description": "Another description"},
    "customFields.replacePolicy": lambda: {"strict": False},
    "customers.create": lambda: {"name": fresh("Somebody ")},
    "customers.createIdentity": lambda: {
        "kind": "email",
        "value": f"{fresh('identity')}@example.com",
    },
    "customers.createAddress": lambda: {"province": "Huế"},
    "customers.putByExternalId": lambda: {"name": "Somebody from elsewhere"},
    "customers.update": lambda: {"city": "Huế"},
    "customers.updateIdentity": lambda: {"reason": "Another reason"},
    "customers.updateAddress": lambda: {"province": "Huế"},
    "imports.create": lambda: {"options": {}, "reading": {}},
    "imports.update": lambda: {"options": {"existing": "fill"}},
    "inboundMessages.create": lambda: {"channel": "zalo", "external_id": fresh("zalo-")},
    "leadForms.create": lambda: {
        "fields": [{"name": "email"}],
        "intents": ["wants_information"],
        "allowed_origins": [],
        "redirect_url": None,
    },
    "leadForms.submit": lambda: {"entered": {"email": f"{fresh('visitor')}@example.com"}},
    "leadForms.update": lambda: {"name": "Another name"},
    "leads.update": lambda: {"intent": "wants_meeting"},
    "loyalty.adjust": lambda: {"points": 5},
    "loyalty.createRule": lambda: {"kind": "event", "event": "checked_in"},
    "loyalty.createTier": lambda: {"threshold": next(_fresh)},
    "loyalty.recordEvent": lambda: {"event": "checked_in", "reference": fresh("event-")},
    "loyalty.redeem": lambda: {"points": 1},
    "loyalty.updateRule": lambda: {"points": 7},
    "loyalty.updateTier": lambda: {"name": "Another name"},
    "consentTexts.create": lambda: {"purpose": "care", "channels": ["email"]},
    "customers.recordConsent": lambda: {
        "purpose": "care",
        "channel": "email",
        "proof": {"page": "/dang-ky"},
    },
    "customers.updateNote": lambda: {"text": "Another note"},
    "interactions.update": lambda: {"outcome": "reached"},
    "outcomes.create": lambda: {"key": fresh("outcome-"), "applies_to": ["task.message"]},
    "outcomes.update": lambda: {"tone": "positive"},
    "passwords.choose": lambda: {"password": _PASSWORD, "again": _PASSWORD},
    "queues.update": lambda: {"name": "Another name"},
    "roles.create": lambda: {"name": fresh("Role "), "scopes": ["tickets:read"]},
    "roles.update": lambda: {"description": "Another description"},
    "orders.create": lambda: {"external_id": fresh("pos-"), "total": _MONEY, "lines": []},
    "orders.putPayment": lambda: {"amount": _MONEY},
    "orders.putRefund": lambda: {"amount": _MONEY},
    "orders.putRating": lambda: {"rating": 4},
    "retention.createRule": lambda: {
        "data": ["notes"],
        "clock": "recorded",
        "period": "P30Y",
        "action": "report",
    },
    "retention.updateRule": lambda: {"name": "Another name"},
    "reviews.create": lambda: {"product_id": fresh("product-"), "rating": 4},
    "reviews.vote": lambda: {"helpful": True},
    "segments.create": lambda: {"key": fresh("segment"), "rule": _RULE},
    "segments.preview": lambda: {"rule": _RULE},
    "segments.update": lambda: {"name": {"vi": "Tên khác", "en": "Another name"}},
    "staff.create": lambda: {"email": f"{fresh('somebody')}@example.com", "role": "agent"},
    "staff.update": lambda: {"name": "Another name"},
    "surveys.answer": lambda: {"score": "5"},
    "suppressions.create": lambda: {"address": f"{fresh('nobody')}@example.com"},
    "teams.create": lambda: {"name": fresh("Team ")},
    "teams.update": lambda: {"description": "Another description"},
    "tasks.update": lambda: {"title": "Another title"},
    "tenants.create": lambda: {"slug": fresh("shop-"), "timezone": "Asia/Ho_Chi_Minh"},
    "tickets.update": lambda: {"plan": "Another plan"},
    "vouchers.create": lambda: {"kind": "percent", "percent": 10},
    "vouchers.update": lambda: {"name": "Another name"},
    # Where nobody listens: what is sent there fails, again and again, and tells nothing.
    "webhookEndpoints.create": lambda: {"url": "http://127.0.0.1:9/in", "enabled": False},
    "webhookEndpoints.update": lambda: {"description": "Another description"},
}
"""What a schema does not say of itself, by operation; the rest is made up."""


class Bodies:
    """Makes bodies: what is required, and every field that names an object."""

    def __init__(self, description: Description) -> None:
        self._description = description

    def make(self, operation: Operation, value_of: ValueOf, resource: Json | None = None) -> Any:
        """A body that names what `value_of` says.

        A whole resource that is put back is best made from the resource itself.
        """
        assert operation.body is not None
        body = self._make(operation, operation.body, "", value_of)
        if not isinstance(body, dict):
            return body
        body.update(GIVEN.get(operation.id, dict)())
        if resource is not None:
            body = self._put_back(operation, resource)
            for place in operation.places:
                if place.where == "body" and place.name in body:
                    body[place.name] = value_of(place.name, place.kind)
        return body

    def _put_back(self, operation: Operation, resource: Json) -> Json:
        """What the operation takes of a resource, or of the part of it that holds what it needs."""
        assert operation.body is not None
        schema = self._description.resolved(operation.body)
        needed = set(schema.get("required", ()))
        parts = [resource, *(part for part in resource.values() if isinstance(part, dict))]
        whole = next((part for part in parts if needed <= part.keys()), resource)
        return {name: whole[name] for name in schema.get("properties", {}) if name in whole}

    def _make(self, operation: Operation, schema: Json, name: str, value_of: ValueOf) -> Any:
        schema = self._description.resolved(schema)
        kind = kind_of(
            operation.id,
            "",
            name.rpartition(".")[2].removesuffix("[]"),
            is_id=schema.get("format") == "uuid",
        )
        if name and kind and not is_list(schema):
            return value_of(name, kind)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        if options := alternatives(schema):
            return self._make(operation, self._best(operation, options, name), name, value_of)
        if schema.get("type") == "object" or "properties" in schema:
            return {
                inner: self._make(operation, value, f"{name}.{inner}".lstrip("."), value_of)
                for inner, value in schema.get("properties", {}).items()
                if inner in schema.get("required", ())
                or self._names_somebody(operation, value, f"{name}.{inner}".lstrip("."))
            }
        if schema.get("type") == "array":
            wanted = max(schema.get("minItems", 0), 1)
            item = schema.get("items", {})
            return [self._make(operation, item, f"{name}[]", value_of) for _ in range(wanted)]
        return plain(schema)

    def _best(self, operation: Operation, options: list[Json], name: str) -> Json:
        telling = [one for one in options if self._names_somebody(operation, one, name)]
        possible = [one for one in options if one.get("type") != "null"]
        return (telling or possible)[0]

    def _names_somebody(self, operation: Operation, schema: Json, name: str) -> bool:
        return any(
            place.name == name or place.name.startswith((f"{name}.", f"{name}[]"))
            for place in operation.places
            if place.where == "body" and name
        )


def plain(schema: Json) -> Any:
    """A value of a schema that names no object."""
    examples = [*schema.get("examples", []), *([schema["example"]] if "example" in schema else [])]
    if examples:
        return examples[0]
    match schema.get("type"):
        case "integer" | "number":
            return max(schema.get("minimum", 1), 1)
        case "boolean":
            return True
        case "string":
            return _text(schema)
    return {}


def _text(schema: Json) -> str:
    match schema.get("format"):
        case "email":
            return f"{fresh('somebody')}@example.com"
        case "date-time":
            return _A_DAY
        case "date":
            return _A_DAY[:10]
        case "uri":
            return f"https://example.com/{fresh('hook')}"
    return fresh("words").ljust(schema.get("minLength", 0), "x")
