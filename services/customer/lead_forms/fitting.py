"""Whether the parts of a form fit together. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from services.customer.lead_forms.record import KNOWN_FIELDS, LeadForm
from shared.errors import FieldError


def faults_of(form: LeadForm) -> list[FieldError]:
    """What is wrong with a form, by the place in the body that said it."""
    return [
        *_fields(form),
        *_own_fields(form),
        *_consents(form),
        *_intents(form),
        *_redirect(form),
    ]


def _fields(form: LeadForm) -> Iterator[FieldError]:
    names = [field["name"] for field in form.fields]
    for place in _repeated(names):
        yield FieldError(f"/body/fields/{place}/name", "repeated", "Each field once")
    if not {"email", "phone"} & set(names):
        yield FieldError("/body/fields", "no_contact", "Ask for an email or a phone")
    required = {field["name"] for field in form.fields if field["required"]}
    if form.double_opt_in and "email" not in required:
        detail = "The link goes by mail: have the email required"
        yield FieldError("/body/double_opt_in", "needs_email", detail)


def _own_fields(form: LeadForm) -> Iterator[FieldError]:
    keys = [field["key"] for field in form.own_fields]
    for place in _repeated(keys):
        yield FieldError(f"/body/own_fields/{place}/key", "repeated", "Each key once")
    for place, field in enumerate(form.own_fields):
        pointer = f"/body/own_fields/{place}"
        if field["key"] in KNOWN_FIELDS:
            yield FieldError(f"{pointer}/key", "known_field", "That is one of `fields`")
        values = [option["value"] for option in field["options"]]
        if (field["type"] == "choice") != bool(values):
            yield FieldError(f"{pointer}/options", "options", "A choice has options, others none")
        for option in _repeated(values):
            yield FieldError(f"{pointer}/options/{option}/value", "repeated", "Each value once")


def _consents(form: LeadForm) -> Iterator[FieldError]:
    for place in _repeated((each["purpose"], each["channel"]) for each in form.consents):
        detail = "Each purpose once per channel"
        yield FieldError(f"/body/consents/{place}", "repeated", detail)


def _intents(form: LeadForm) -> Iterator[FieldError]:
    for place in _repeated(form.intents):
        yield FieldError(f"/body/intents/{place}", "repeated", "Each intent once")
    if form.default_intent not in form.intents:
        yield FieldError("/body/default_intent", "not_offered", "Name one of `intents`")


def _redirect(form: LeadForm) -> Iterator[FieldError]:
    if form.redirect_url is None:
        return
    parts = urlsplit(form.redirect_url)
    origin = f"{parts.scheme}://{parts.netloc}".removesuffix(":443")
    if origin not in form.allowed_origins:
        detail = "Its origin is none of `allowed_origins`"
        yield FieldError("/body/redirect_url", "origin_not_allowed", detail)


def _repeated(values: Iterable[object]) -> Iterator[int]:
    """The places of what was there before."""
    seen: Counter[object] = Counter()
    for place, value in enumerate(values):
        if seen[value]:
            yield place
        seen[value] += 1
