"""A form as its page shows it, and what comes back from there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final, get_args
from urllib.parse import parse_qsl, urlencode

from services.customer.consents.recording import Channel, ContactPurpose
from services.customer.lead_forms.record import Intent, LeadForm, in_language
from services.customer.leads.entered import MAX_MESSAGE, MAX_WORDS
from services.customer.leads.intake import Ticked
from services.customer.leads.texts import TEXTS
from services.customer.touches.origins import PARAMETERS
from shared.languages import Language

# Names of ours have a dot, which no key of a shop's field can have.
TOKEN: Final = "form.token"  # noqa: S105  (the name of a field)
REFERRER: Final = "form.referrer"
INTENT: Final = "form.intent"
CONSENT: Final = "consent."
# Looks like something worth filling in to a program, and has no place in any of our forms.
HONEYPOT: Final = "company.website"
MOST_INPUTS: Final = 100

_INPUTS: Final[Mapping[str, str]] = {"email": "email", "phone": "tel", "birth_date": "date"}
_AUTOCOMPLETE: Final[Mapping[str, str]] = {
    "name": "name",
    "email": "email",
    "phone": "tel",
    "birth_date": "bday",
    "city": "address-level2",
    "province": "address-level1",
}
_OWN_INPUTS: Final[Mapping[str, str]] = {
    "text": "text",
    "long_text": "textarea",
    "number": "number",
    "date": "date",
    "choice": "select",
    "yes_no": "checkbox",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """What a browser sent, by the names of the page's inputs."""

    fields: Mapping[str, str]

    @classmethod
    def read(cls, body: bytes) -> "Sent":
        """The fields of an urlencoded body; never raises. Of a name that comes twice, the last."""
        try:
            pairs = parse_qsl(body.decode(errors="replace"), max_num_fields=MOST_INPUTS)
        except ValueError:
            pairs = []
        return cls(dict(pairs))

    def entered(self, form: LeadForm) -> dict[str, str]:
        """What stands in the form's own fields; others are nobody's."""
        names = [f["name"] for f in form.fields] + [f["key"] for f in form.own_fields]
        return {name: self.fields[name] for name in names if name in self.fields}

    def intent(self, form: LeadForm) -> Intent:
        """What they want; the form's default for what it does not offer."""
        wanted = self.fields.get(INTENT)
        return next((each for each in form.intents if each == wanted), form.default_intent)

    def ticked(self) -> list[Ticked]:
        """The consents that were given."""
        return list(self._ticked())

    def _ticked(self) -> Iterator[Ticked]:
        for purpose, channel in product(get_args(ContactPurpose), get_args(Channel)):
            version = self.fields.get(f"{CONSENT}{purpose}.{channel}", "")
            if version.isascii() and version.isdigit():
                # No version has so many digits, and no column takes more.
                yield Ticked(purpose, channel, int(version[:18]))


@dataclass(frozen=True, slots=True)
class Input:
    """One field of the page."""

    name: str
    label: str
    kind: str
    required: bool
    value: str = ""
    fault: str | None = None
    autocomplete: str | None = None
    max_length: int = 255
    options: Sequence[tuple[str, str]] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Tick:
    """A box to tick: agreeing to these very words."""

    name: str
    version: int
    words: str
    required: bool
    ticked: bool
    fault: str | None


def inputs_of(
    form: LeadForm, language: Language, *, entered: Mapping[str, str], faults: Mapping[str, str]
) -> list[Input]:
    """The fields of a form, with what was entered before and what was wrong with it."""
    texts = TEXTS[language]

    def told(name: str) -> str | None:
        return texts.faults.get(faults[name]) if name in faults else None

    known = [
        Input(
            name=f["name"],
            label=texts.labels[f["name"]],
            kind=_kind_of(f["name"]),
            required=f["required"],
            value=entered.get(f["name"], ""),
            fault=told(f["name"]),
            autocomplete=_AUTOCOMPLETE.get(f["name"]),
            max_length=MAX_MESSAGE if f["name"] == "message" else 255,
            options=list(texts.genders.items()) if f["name"] == "gender" else (),
        )
        for f in form.fields
    ]
    own = [
        Input(
            name=f["key"],
            label=in_language(f["label"], language),
            kind=_OWN_INPUTS[f["type"]],
            required=f["required"],
            value=entered.get(f["key"], ""),
            fault=told(f["key"]),
            max_length=MAX_WORDS if f["type"] == "long_text" else 255,
            options=[(o["value"], in_language(o["label"], language)) for o in f["options"]],
        )
        for f in form.own_fields
    ]
    return [*known, *own]


def ticks_of(
    form: LeadForm,
    language: Language,
    *,
    ticked: Sequence[Ticked],
    missing: Sequence[tuple[str, str]],
) -> list[Tick]:
    """What a form asks people to agree to. Nothing is ticked that they did not tick themselves."""
    given = {(each.purpose, each.channel, each.text_version) for each in ticked}
    return [
        Tick(
            name=f"{CONSENT}{text.purpose}.{text.channel}",
            version=text.version,
            words=in_language(text.text, language),
            required=consent["required"],
            ticked=(text.purpose, text.channel, text.version) in given,
            fault=TEXTS[language].faults["consent"]
            if (text.purpose, text.channel) in missing
            else None,
        )
        for text, consent in zip(form.texts(), form.consents, strict=True)
    ]


def kept_query(parameters: Mapping[str, str], *, language: Language) -> str:
    """The page's query in another language: how somebody came is not lost on the way."""
    kept: dict[str, Any] = {n: parameters[n] for n in PARAMETERS if n in parameters}
    return f"?{urlencode({'lang': language, **kept})}"


def _kind_of(name: str) -> str:
    if name == "message":
        return "textarea"
    return "select" if name == "gender" else _INPUTS.get(name, "text")
