"""Lead forms as clients write and read them."""

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, HttpUrl
from pydantic_core import PydanticCustomError

from services.customer.consents.recording import Channel, ContactPurpose
from services.customer.customers.schemas import AttributeName
from services.customer.lead_forms.record import Intent, KnownField, OwnType
from services.customer.tasks.schemas import AssigneeRole
from shared.bodies import Body
from shared.text import Name, TextRule
from shared.web.patches import NeverNull

MOST_FIELDS: Final = 30
MOST_OPTIONS: Final = 50

Label = Annotated[str, TextRule(max_length=200)]
Words = Annotated[str, TextRule(max_length=2000, lines=True)]


def _origin(text: str) -> str:
    """The origin as browsers send it: without the port that its scheme has anyway."""
    return text.removesuffix(":443")


Origin = Annotated[
    str,
    Field(
        max_length=262,
        pattern=r"^https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$",
        examples=["https://www.hoasen.example"],
    ),
    AfterValidator(_origin),
]


def _redirect(url: str) -> str:
    try:
        read = HttpUrl(url)
    except ValueError as error:
        raise PydanticCustomError("url", "Write a whole address: https://…") from error
    if read.username or read.password:
        raise PydanticCustomError("url", "Leave user and password out of the address")
    return str(read)


RedirectUrl = Annotated[
    str,
    Field(
        max_length=2000,
        pattern=r"^https://[^\s\\]+$",
        examples=["https://www.hoasen.example/cam-on"],
    ),
    AfterValidator(_redirect),
]


class LabelText(Body):
    """One line in our languages; without English the Vietnamese is shown."""

    vi: Label = Field(examples=["Họ và tên"])
    en: Label | None = None


class LongText(Body):
    """Words in our languages; without English the Vietnamese is shown."""

    vi: Words = Field(examples=["Cảm ơn bạn. Chúng tôi sẽ liên hệ trong hôm nay."])
    en: Words | None = None


class FormField(Body):
    """A field that we know the meaning of: what is entered becomes the customer's."""

    name: KnownField
    required: bool = False


class FormChoice(Body):
    """One of the values to choose from."""

    value: Annotated[str, TextRule(max_length=64)]
    label: LabelText


class OwnField(Body):
    """A field of the shop's own; what is entered becomes an attribute of the customer."""

    key: AttributeName = Field(examples=["shoe_size"])
    label: LabelText
    type: OwnType = "text"
    required: bool = Field(default=False, description="Of a yes_no: it has to be yes")
    options: Annotated[list[FormChoice], Field(max_length=MOST_OPTIONS)] = Field(
        default_factory=list, description="Of a choice"
    )


class FormConsentWrite(Body):
    """What people may agree to: what for, on which channel, and the exact words."""

    purpose: ContactPurpose
    channel: Channel
    text: LongText
    required: bool = Field(
        default=False, description="Nothing can be sent without it; the law seldom allows that"
    )


class FormConsentRead(FormConsentWrite):
    """The same, with the version of its words: it grows whenever they change."""

    text_version: int


class FollowUp(Body):
    """A task for whoever of a role gets to it first, when somebody wants one of these."""

    intents: Annotated[list[Intent], Field(min_length=1, max_length=3)] = Field(
        default=["wants_meeting"]
    )
    within_hours: Annotated[int, Field(ge=1, le=720, description="From when the lead is there")]
    assignee_role: AssigneeRole = "agent"


class LeadFormCreate(Body):
    """A new form. It asks for an e-mail address or a phone number, or both."""

    name: Name = Field(description="For the shop's own eyes", examples=["Đăng ký tư vấn"])
    title: LabelText
    intro: LongText | None = None
    fields: Annotated[list[FormField], Field(min_length=1, max_length=8)]
    own_fields: Annotated[list[OwnField], Field(max_length=MOST_FIELDS)] = Field(
        default_factory=list
    )
    consents: Annotated[list[FormConsentWrite], Field(max_length=8)] = Field(default_factory=list)
    intents: Annotated[list[Intent], Field(min_length=1, max_length=3)] = Field(
        default=["wants_meeting", "wants_information", "follows_brand"],
        description="What people may say they want; one only is not asked for",
    )
    default_intent: Intent = "wants_information"
    thank_you: LongText
    allowed_origins: Annotated[list[Origin], Field(max_length=20)] = Field(
        default_factory=list, description="Where people may be sent after the page"
    )
    redirect_url: RedirectUrl | None = Field(
        default=None, description="Where they are sent instead of being thanked by the page"
    )
    follow_up: FollowUp | None = Field(
        default=None, description="Have staff get in touch; null is to leave it to others"
    )
    double_opt_in: bool = Field(
        default=False,
        description="Consents count once the link in a mail was followed; needs a required email",
    )
    active: bool = True


class LeadFormPatch(Body):
    """A change: what is absent stays as it is, `null` clears."""

    name: Annotated[Name | None, NeverNull()] = None
    title: Annotated[LabelText | None, NeverNull()] = None
    intro: LongText | None = None
    fields: Annotated[
        Annotated[list[FormField], Field(min_length=1, max_length=8)] | None, NeverNull()
    ] = None
    own_fields: Annotated[
        Annotated[list[OwnField], Field(max_length=MOST_FIELDS)] | None, NeverNull()
    ] = None
    consents: Annotated[
        Annotated[list[FormConsentWrite], Field(max_length=8)] | None, NeverNull()
    ] = None
    intents: Annotated[
        Annotated[list[Intent], Field(min_length=1, max_length=3)] | None, NeverNull()
    ] = None
    default_intent: Annotated[Intent | None, NeverNull()] = None
    thank_you: Annotated[LongText | None, NeverNull()] = None
    allowed_origins: Annotated[
        Annotated[list[Origin], Field(max_length=20)] | None, NeverNull()
    ] = None
    redirect_url: RedirectUrl | None = None
    follow_up: FollowUp | None = None
    double_opt_in: Annotated[bool | None, NeverNull()] = None
    active: Annotated[bool | None, NeverNull()] = None


class LeadFormRead(BaseModel):
    """A form by which people tell who they are and what they want."""

    id: UUID
    object: Literal["lead_form"] = "lead_form"
    name: str
    title: LabelText
    intro: LongText | None
    fields: list[FormField]
    own_fields: list[OwnField]
    consents: list[FormConsentRead]
    intents: list[Intent]
    default_intent: Intent
    thank_you: LongText
    allowed_origins: list[str]
    redirect_url: str | None
    follow_up: FollowUp | None
    double_opt_in: bool
    active: bool
    page_url: str = Field(
        description="The form as a page of ours; utm parameters and click ids may be added",
        examples=["https://care.example/pages/forms/AZmX…"],
    )
    created_at: datetime
    updated_at: datetime
    version: int
