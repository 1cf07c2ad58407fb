"""Which kind of object a name in the API stands for.

A new path parameter, or a new field that holds an id, has to be named here: otherwise the walk
would not know whose object to put there, and fails.
"""

from collections.abc import Mapping

OF_NAMES: Mapping[str, str] = {
    "agent_id": "staff",
    "api_key_id": "api_key",
    "appointment_id": "appointment",
    "assignee": "staff",
    "assignee_id": "staff",
    "automation_id": "automation",
    "calendar_id": "calendar",
    "connection_id": "connection",
    "contact_id": "contact",
    "customer_id": "customer",
    "address_id": "address",
    "delivery_id": "delivery",
    "duplicate_id": "duplicate",
    "endpoint_id": "endpoint",
    "field_id": "custom_field",
    "event_id": "event",
    "form_id": "lead_form",
    "identity_id": "identity",
    "from_owner_id": "staff",
    "from_staff_id": "staff",
    "hold_id": "legal_hold",
    "import_id": "import",
    "interaction_id": "interaction",
    "job_id": "job",
    "lead_id": "lead",
    "merge_id": "merge",
    "message_id": "message",
    "note_id": "note",
    "order_id": "order",
    "origin_id": "automation",
    "other_id": "segment",
    "outcome_id": "outcome",
    "owner_id": "staff",
    "policy_id": "sla_policy",
    "queue_id": "queue",
    "redemption_id": "redemption",
    "referral_id": "referral",
    "request_id": "privacy_request",
    "text_id": "consent_text",
    "referrer_id": "customer",
    "review_id": "review",
    "role_id": "role",
    "rule_id": "assignment_rule",
    "run_id": "retention_run",
    "scan_id": "duplicate_scan",
    "segment_id": "segment",
    "segment_key": "segment_key",
    "session_id": "session",
    "staff_id": "staff",
    "submission_id": "lead_submission",
    "suppression_id": "suppression",
    "survivor_id": "customer",
    "task_id": "task",
    "team_id": "team",
    "template": "template_key",
    "ticket_id": "ticket",
    "tier_id": "tier",
    "voucher_id": "voucher",
    "to_staff_id": "staff",
}
"""Names that mean the same wherever they are."""

IN_OPERATIONS: Mapping[tuple[str, str], str] = {
    ("customers.getByCode", "code"): "customer_code",
    ("customers.putByExternalId", "source"): "source",
    ("customers.putByExternalId", "external_id"): "external_id",
    ("customers.list", "q"): "customer_name",
    ("customers.merge", "customer_ids"): "merged_customer",
    ("merges.undo", "customer_ids"): "merged_customer",
    ("assignmentRules.undoReassignment", "job_id"): "reassignment",
    ("duplicates.create", "other_id"): "merged_customer",
    ("duplicates.update", "survivor_id"): "duplicate_customer",
    ("hooks.confirm", "platform"): "platform",
    ("hooks.receive", "platform"): "platform",
    ("referrals.create", "code"): "referral_code",
    ("segments.create", "template"): "",
    ("segments.update", "template"): "",
    ("segments.preview", "template"): "",
    ("segments.list", "key"): "segment_key",
    ("auditLog.export", "actor_id"): "staff",
    ("auditLog.export", "object_id"): "customer",
    ("auditLog.export", "request_id"): "",
    ("auditLog.list", "actor_id"): "staff",
    ("auditLog.list", "object_id"): "customer",
    ("auditLog.list", "request_id"): "",
    ("loyalty.getRule", "rule_id"): "loyalty_rule",
    ("loyalty.updateRule", "rule_id"): "loyalty_rule",
    ("retention.adoptPreset", "preset"): "preset",
    ("retention.getRule", "rule_id"): "retention_rule",
    ("retention.updateRule", "rule_id"): "retention_rule",
    ("retention.deleteRule", "rule_id"): "retention_rule",
    ("retention.startRun", "rule_ids"): "retention_rule",
    ("leadForms.page", "token"): "form_token",
    ("leadForms.send", "token"): "form_token",
    ("leadForms.confirmPage", "token"): "confirmation_token",
    ("leadForms.confirm", "token"): "confirmation_token",
    ("pages.calendar", "token"): "calendar_token",
    ("passwords.choose", "token"): "password_token",
    ("passwords.page", "token"): "password_token",
    ("staff.create", "role"): "role",
    ("staff.update", "role"): "role",
    ("suppressions.list", "address"): "suppressed_address",
    ("templates.get", "key"): "template_key",
    ("templates.preview", "key"): "template_key",
    ("templates.replace", "key"): "template_key",
    ("tickets.list", "code"): "ticket_code",
    ("surveys.page", "token"): "survey_token",
    ("surveys.answer", "token"): "survey_token",
    ("pages.unsubscribe", "token"): "unsubscribe_token",
    ("vouchers.getCode", "code"): "voucher_code",
    ("vouchers.quote", "code"): "voucher_code",
    ("vouchers.redeem", "code"): "voucher_code",
    ("vouchers.getRedemption", "redemption_id"): "voucher_redemption",
    ("vouchers.cancelRedemption", "redemption_id"): "voucher_redemption",
    ("pages.unsubscribeConfirm", "token"): "unsubscribe_token",
}
"""Names that mean something of their own in one operation; empty: no object at all."""

COMMON = frozenset({"platform", "source", "preset"})
"""Words that everybody uses alike; they belong to nobody."""

NATURAL = COMMON | {"template_key", "segment_key", "external_id"}
"""Kinds named by words of the shop's own choice: two shops may use the same."""


def kind_of(operation: str, path: str, name: str, *, is_id: bool) -> str:
    """The kind of object; empty when the name stands for none. Fails for an id of no known kind."""
    known = IN_OPERATIONS.get((operation, name), OF_NAMES.get(name.removesuffix("s"), None))
    if known is None:
        known = OF_NAMES.get(name)
    if known is None and is_id:
        raise AssertionError(
            f"{operation} {path}: nobody knows what `{name}` names. Say its kind in "
            "tests/isolation/kinds.py and make one of it in tests/isolation/furnishing.py"
        )
    return known or ""
