"""Privacy requests and legal holds as clients write and read them."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from services.customer.consents.recording import Purpose
from services.customer.privacy.laws import LawName
from shared.bodies import Body
from shared.contracts.privacy import PrivacyRequestKind, PrivacyRequestStatus
from shared.moments import Instant
from shared.pii import PII_READ, pii
from shared.text import TextRule

EXPORT: Final = "personal_data_export"
"""What the jobs are called that collect a person's data."""
FORGETTING: Final = "forget_source"
"""What the jobs are called that erase what one platform told."""
EXPORT_SCOPES: Final = ("privacy:read", PII_READ)
"""What it takes to have the file."""

RequestStep = Literal[
    "check_identity",
    "acknowledge",
    "extend",
    "execute",
    "make_file",
    "complete",
    "refuse",
    "cancel",
]
RequestChannel = Literal["api", "shopper", "platform"]
CheckMethod = Literal[
    "shopper_token", "platform", "code_by_email", "code_by_phone", "id_card", "in_person", "other"
]
Words = Annotated[str, TextRule(max_length=2000, lines=True)]


class PrivacyRequestCreate(Body):
    """Something that the law gives people a right to. A shopper asks for themselves."""

    kind: PrivacyRequestKind
    customer_id: UUID | None = Field(default=None, description="Who asks; of a shopper, themselves")
    purposes: Annotated[list[Purpose], Field(max_length=4)] = Field(
        default_factory=list,
        description="What an objection or withdrawal is about; all purposes, if none is named",
    )
    details: Words | None = Field(default=None, description="What the person wrote")
    received_at: Instant | None = Field(default=None, description="When it came; now, if absent")
    law: LawName | None = Field(
        default=None, description="The law of the shop's country, if absent"
    )
    with_processor: bool = Field(
        default=False, description="Whether others hold the data for the shop: that takes longer"
    )

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.purposes and self.kind not in ("objection", "withdrawal"):
            raise ValueError("only objections and withdrawals are about purposes")
        return self


class IdentityCheckCreate(Body):
    """How it was made sure that it is the person who asks."""

    method: CheckMethod
    note: Words | None = None


class IdentityCheckRead(BaseModel):
    """How it was made sure that it is the person who asks."""

    method: CheckMethod
    by: str
    at: datetime
    note: Annotated[str | None, pii("words")] = None


class ReasonCreate(Body):
    """Why. It is what the person is told."""

    reason: Words


class CompletionCreate(Body):
    """What has been done."""

    outcome: Words | None = None


class PersonalDataFileRead(BaseModel):
    """A file of the person's data that was asked for; it is kept for seven days."""

    job_id: UUID
    asked_at: datetime
    asked_by: str


class PrivacyRequestRead(BaseModel):
    """A request of a person, and by when it must be answered."""

    id: UUID
    object: Literal["privacy_request"] = "privacy_request"
    kind: PrivacyRequestKind
    status: PrivacyRequestStatus
    customer_id: UUID | None
    channel: RequestChannel
    law: LawName
    purposes: list[Purpose]
    with_processor: bool
    details: Annotated[str | None, pii("words")]
    identity_check: IdentityCheckRead | None
    received_at: datetime
    acknowledge_by: datetime | None
    acknowledged_at: datetime | None
    due_at: datetime = Field(description="Until when it must have been answered")
    overdue: bool
    extended_at: datetime | None
    extension_reason: Annotated[str | None, pii("words")]
    closed_at: datetime | None
    outcome: Annotated[str | None, pii("words")]
    job_id: UUID | None = Field(description="The job whose file has the person's data")
    files: list[PersonalDataFileRead] = Field(
        description="Every file that was asked for, the newest last"
    )
    erasure_id: UUID | None
    allowed_transitions: list[RequestStep]
    created_at: datetime
    updated_at: datetime
    version: int


class PreviewTable(BaseModel):
    """What one table has of the person, and what an erasure does to it."""

    table: str
    rows_found: int
    on_erasure: Literal["deleted", "anonymised", "kept"]
    kept: dict[str, str] = Field(description="What stays of the rows, and why")


class PreviewPart(BaseModel):
    """What one part of the house has of the person; not `ready` until it has answered."""

    part: str
    ready: bool
    tables: list[PreviewTable]


class PrivacyPreviewRead(BaseModel):
    """What would be erased, part by part."""

    object: Literal["privacy_preview"] = "privacy_preview"
    request_id: UUID
    ready: bool = Field(description="Whether every part has answered")
    started_at: datetime
    parts: list[PreviewPart]


class ReceiptTable(BaseModel):
    """How many rows of one table were deleted or made anonymous."""

    table: str
    rows: int
    how: Literal["deleted", "anonymised"]


class ReceiptPart(BaseModel):
    """What one part of the house says that it has done."""

    part: str
    confirmed_at: str
    tables: list[ReceiptTable]


class ErasureReceiptBody(BaseModel):
    """What was erased, when, and by whose word. It names nobody but by an id."""

    erasure_id: UUID
    request_id: UUID | None = Field(description="Null where nobody asked: time was over")
    tenant_id: UUID
    customer_ids: list[UUID]
    ordered_at: str
    finished_at: str
    parts: list[ReceiptPart]


class ErasureReceiptRead(BaseModel):
    """A signed receipt: Ed25519 over the receipt as JSON with sorted keys and no spaces."""

    object: Literal["erasure_receipt"] = "erasure_receipt"
    receipt: ErasureReceiptBody
    signature: str = Field(description="Base64url")
    public_key: str = Field(description="Base64url, 32 bytes")
    algorithm: Literal["Ed25519"] = "Ed25519"


class ReceiptVerificationCreate(Body):
    """A receipt as it was given out; by the key that is in it nothing is believed."""

    object: Literal["erasure_receipt"] = "erasure_receipt"
    receipt: Annotated[dict[str, Any], Field(max_length=50)]
    signature: Annotated[str, TextRule(max_length=200)]
    public_key: Annotated[str | None, TextRule(max_length=200)] = None
    algorithm: Literal["Ed25519"] = "Ed25519"


class ReceiptVerificationRead(BaseModel):
    """Whether a receipt is ours and has not been changed."""

    object: Literal["receipt_verification"] = "receipt_verification"
    valid: bool


class LegalHoldCreate(Body):
    """Keep a customer's data: nothing of them is erased while it is in force."""

    customer_id: UUID
    reason: Words = Field(examples=["Tranh chấp hợp đồng số 12/2026"])
    until: Instant | None = Field(default=None, description="It ends by itself then")


class LegalHoldRead(BaseModel):
    """A legal hold on a customer's data."""

    id: UUID
    object: Literal["legal_hold"] = "legal_hold"
    customer_id: UUID
    reason: Annotated[str, pii("words")]
    until: datetime | None
    placed_by: str
    placed_at: datetime
    released_by: str | None
    released_at: datetime | None
