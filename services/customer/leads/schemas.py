"""Leads and what they are made of, as clients write and read them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import Row

from services.customer.consents.recording import Channel, ContactPurpose
from services.customer.customers.record import Gender, Stage
from services.customer.customers.schemas import AttributeName, Number
from services.customer.lead_forms.record import KNOWN_FIELDS, Intent
from services.customer.leads.entered import MAX_MESSAGE
from services.customer.leads.submission import Submission, SubmissionStatus, Via
from services.customer.leads.suspicion import Suspicion
from services.customer.touches.schemas import Address, Attribution
from shared.bodies import Body
from shared.languages import Language
from shared.moments import Day
from shared.pii import pii
from shared.text import TextRule
from shared.web.patches import NeverNull

EnteredText = Annotated[str, TextRule(max_length=MAX_MESSAGE, min_length=0, lines=True)]
EnteredValue = bool | Number | EnteredText


class SubmittedConsent(Body):
    """A consent that was given, and which version of its words was shown."""

    purpose: ContactPurpose
    channel: Channel
    text_version: Annotated[int, Field(ge=1, le=2**53)]


class SubmissionCreate(Body):
    """What somebody entered into a form."""

    entered: Annotated[
        dict[AttributeName, EnteredValue],
        Field(
            max_length=50,
            description="By the `name` or `key` of the form's fields",
            examples=[{"name": "Trần Thị Bình", "phone": "0912 345 678"}],
        ),
    ]
    intent: Intent | None = Field(default=None, description="The form's default, if absent")
    consents: Annotated[list[SubmittedConsent], Field(max_length=8)] = Field(default_factory=list)
    attribution: Attribution = Field(default_factory=Attribution)
    source_page: Address | None = Field(
        default=None, description="The page that the form is in; else the landing page"
    )
    language: Language = Field(default="vi", description="In which it was shown")
    honeypot: Annotated[str, Field(max_length=1000)] = Field(
        default="", description="Of a field that people do not see; programs fill it in"
    )
    customer_id: UUID | None = Field(
        default=None, description="Who sent it, when you know. Needs `leads:write`"
    )


class SubmissionReceipt(BaseModel):
    """That something was received. It does not tell whether we know who sent it."""

    id: UUID
    object: Literal["lead_submission_receipt"] = "lead_submission_receipt"
    form_id: UUID
    received_at: datetime
    thank_you: str = Field(description="In the language that the form was shown in")
    redirect_url: str | None


class SentConsent(BaseModel):
    """A consent that was given, with the words that were shown."""

    purpose: ContactPurpose
    channel: Channel
    text_version: int
    language: Language
    wording: str


class EnteredRead(BaseModel):
    """What was entered; null is what was left empty or not asked for."""

    name: Annotated[str | None, pii("name")] = None
    email: Annotated[str | None, pii("email")] = None
    phone: Annotated[str | None, pii("phone")] = None
    birth_date: Annotated[Day | None, pii("date")] = None
    gender: Gender | None = None
    city: str | None = None
    province: str | None = None
    message: Annotated[str | None, pii("words")] = None
    own: Annotated[dict[str, Any], pii("attributes")] = Field(
        description="The shop's own fields, by their keys"
    )

    @classmethod
    def of(cls, entered: Mapping[str, Any]) -> Self:
        """What clients see of what was entered."""
        known = {name: value for name, value in entered.items() if name in KNOWN_FIELDS}
        own = {name: value for name, value in entered.items() if name not in KNOWN_FIELDS}
        return cls(**known, own=own)


class SubmissionRead(BaseModel):
    """Something that was sent by a form."""

    id: UUID
    object: Literal["lead_submission"] = "lead_submission"
    form_id: UUID
    status: SubmissionStatus = Field(description="`suspected`: kept aside until somebody decides")
    suspicions: list[Suspicion] = Field(description="Why it was kept aside")
    allowed_transitions: list[SubmissionStatus]
    customer_id: UUID | None
    intent: Intent
    entered: EnteredRead
    consents: list[SentConsent]
    via: Via
    language: Language
    source_page: Annotated[str | None, pii("words")]
    client_ip: Annotated[str | None, pii("words")]
    user_agent: str | None
    confirmation_sent_at: datetime | None
    confirmed_at: datetime | None
    received_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def of(cls, submission: Submission) -> Self:
        """What clients see of a submission."""
        made = {"object", "entered"}
        known = {name: getattr(submission, name) for name in cls.model_fields if name not in made}
        return cls(**known, entered=EnteredRead.of(submission.entered))


class LeadCreate(Body):
    """A customer who is a lead, told by somebody who met them."""

    customer_id: UUID
    intent: Intent
    attribution: Attribution = Field(default_factory=Attribution)
    source_page: Address | None = None


class LeadPatch(Body):
    """A change: what is absent stays as it is."""

    intent: Annotated[Intent | None, NeverNull()] = None


class LeadCustomer(BaseModel):
    """Whose lead it is, as they are now."""

    id: UUID
    code: str
    stage: Stage
    name: Annotated[str | None, pii("name")]
    email: Annotated[str | None, pii("email")]
    phone: Annotated[str | None, pii("phone")]
    owner_id: UUID | None


class LeadRead(BaseModel):
    """Somebody who left their details, and what they want."""

    id: UUID
    object: Literal["lead"] = "lead"
    customer_id: UUID
    customer: LeadCustomer
    form_id: UUID | None
    submission_id: UUID | None
    intent: Intent
    source: str = Field(description="Where the first visit came from", examples=["zalo"])
    source_page: Annotated[str | None, pii("words")]
    captured_at: datetime
    converted_at: datetime | None = Field(description="When the first order was paid")
    updated_at: datetime
    version: int

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """The lead in a row."""
        known = dict(row._mapping)
        person = {name: known[name] for name in LeadCustomer.model_fields if name != "id"}
        customer = LeadCustomer(id=known["customer_id"], **person)
        own = {n: known[n] for n in cls.model_fields if n not in {"object", "customer"}}
        return cls(**own, customer=customer)


class LeadFigures(BaseModel):
    """How many leads, and how many of them have paid an order."""

    leads: int
    converted: int
    conversion_rate: float | None = Field(
        description="Converted of leads, to four places; null without leads", examples=[0.125]
    )


class LeadSourceFigures(LeadFigures):
    """The same of one form and one source; without a form, of leads that staff entered."""

    form_id: UUID | None
    form_name: str | None
    source: str


class LeadReport(BaseModel):
    """What forms and sources have brought, and what became of it."""

    object: Literal["lead_report"] = "lead_report"
    total: LeadFigures
    data: list[LeadSourceFigures] = Field(description="Most leads first, at most 500 rows")

    @classmethod
    def of(cls, total: Row[*tuple[Any, ...]], groups: Iterable[Row[*tuple[Any, ...]]]) -> Self:
        """The report of what was counted."""
        return cls(
            total=LeadFigures(**_figures(total)),
            data=[
                LeadSourceFigures(
                    form_id=row.form_id, form_name=row.form_name, source=row.source, **_figures(row)
                )
                for row in groups
            ],
        )


def _figures(row: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    rate = round(row.converted / row.leads, 4) if row.leads else None
    return {"leads": row.leads, "converted": row.converted, "conversion_rate": rate}
