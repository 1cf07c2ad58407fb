"""What the groups of operations are about, for those who browse the document."""

from collections.abc import Iterable, Mapping
from typing import Final

_DESCRIPTIONS: Final[Mapping[str, str]] = {
    "api-keys": "Credentials of programs, each with the scopes it needs and no more",
    "appointments": "When customers and staff meet, and the calendars of staff",
    "assignment-rules": "Which staff get which customers, and when staff work",
    "audit-log": "Who did what, when and from where; nothing in it can be changed",
    "auth": "Logging in as staff, staying logged in, logging out",
    "automations": "What is sent by itself when a customer enters a segment",
    "connections": "Shops' platforms and mail servers, and what platforms have delivered",
    "consents": "What people are asked to agree to, version by version",
    "custom-fields": "What a shop wants to know of its customers beyond what everybody does",
    "customers": "Who the customers are, however many platforms they come from",
    "duplicates": "Pairs of customers who may be one person, for a person to decide",
    "events": "Everything that happened, in order and without gaps, to read again or to follow",
    "exports": "Files with what a shop has, made by jobs",
    "hooks": "Where platforms deliver their webhooks",
    "imports": "Customers from files: read, tried out, taken in, taken back",
    "inbound-messages": "What customers write on any channel; each becomes or joins a ticket",
    "interactions": "What passed between customers and staff, and what is noted about them",
    "jobs": "Work that goes on after its request was answered",
    "lead-forms": "Forms by which people leave their details, on pages of ours or the shop's",
    "leads": "Who left their details, what they want, and what became of it",
    "loyalty": "Points: how they are earned, what customers have, how they are spent; tiers",
    "merges": "Customers who are several records: who was merged into whom, and taking it back",
    "messages": "Messages to customers, each with the reason why it was or was not sent",
    "orders": "What customers bought",
    "outcomes": "What the shop calls what came of calls, tasks and appointments",
    "pages": "Pages that customers open from a link in a mail; the link is the credential",
    "policies": "When and how often customers may be written to",
    "preferences": "By which channel a customer likes to be written to, and would be",
    "privacy": "What people ask for by law, and what forbids to erase them",
    "quality": "What is missing or wrong in what is known of customers",
    "queues": "Who takes care of which tickets",
    "referrals": "Who brought which friend, and what was given for it",
    "reports": "Figures over all services that add up",
    "retention": "How long personal data are kept, and what was emptied when",
    "reviews": "What customers say of products and orders, and what of it is published",
    "roles": "What staff may do: the built-in roles and those that the shop has made",
    "segments": "Groups of customers by rules, kept up to date as facts change",
    "settings": "What holds for the whole shop",
    "shopper-tokens": "Tokens with which a shop's customers act for themselves",
    "sla": "How soon tickets are answered and resolved, and when the shop is open",
    "staff": "The people who work for the shop",
    "suppressions": "Addresses that must not be written to",
    "surveys": "Whom we asked how it went, and what they said",
    "tasks": "Things to do about a customer",
    "teams": "Groups of staff who see the same work",
    "templates": "Texts of messages by language",
    "tenants": "Shops, made by the operator of the installation",
    "ticket-reports": "How tickets ended",
    "ticket-rules": "How a ticket's priority is found",
    "tickets": "What customers ask or complain about, from the first word to the resolution",
    "touches": "How customers came to the shop's pages",
    "vouchers": "Vouchers and gifts, their codes, and who used them",
    "webhooks": "Endpoints of other systems that are told of events, signed and until they answer",
}


def tag_objects(tags: Iterable[str]) -> list[dict[str, str]]:
    """The tags with their descriptions, in alphabetical order."""
    return [
        {"name": tag, "description": _DESCRIPTIONS[tag]} if tag in _DESCRIPTIONS else {"name": tag}
        for tag in sorted(tags)
    ]
