"""The wordings of consents as clients write and read them."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from services.customer.consents.recording import AnyChannel, Purpose
from services.customer.customers.schemas import Frequency
from shared.bodies import Body
from shared.text import TextRule

TextKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$", examples=["newsletter"])]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}$", examples=["vi"])]
Said = Annotated[str, TextRule(max_length=500, lines=True)]
Wording = Annotated[str, TextRule(max_length=5000, lines=True)]


class ConsentTextCreate(Body):
    """What people are asked to agree to. A text never changes: what differs is a new version.

    For advertising, content, method, form and frequency have to be known to whoever agrees (Law
    91/2025/QH15, Art. 28).
    """

    key: TextKey
    language: Language = "vi"
    purpose: Purpose
    channels: Annotated[list[AnyChannel], Field(min_length=1, max_length=5)]
    text: Wording = Field(examples=["Tôi đồng ý nhận tin khuyến mãi qua email"])
    content: Said | None = Field(default=None, examples=["Ưu đãi và sản phẩm mới"])
    method: Said | None = Field(default=None, examples=["Gửi tự động"])
    form: Said | None = Field(default=None, examples=["Email"])
    frequency: Frequency | None = None

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        contacts = self.purpose in ("marketing", "care")
        if any(contacts == (channel == "any") for channel in self.channels):
            raise ValueError("marketing and care are about channels, everything else about none")
        known = (self.content, self.method, self.form, self.frequency)
        if self.purpose == "marketing" and None in known:
            raise ValueError("advertising needs content, method, form and frequency")
        self.channels = sorted(set(self.channels))
        return self


class ConsentTextRead(BaseModel):
    """One version of a wording, in one language."""

    id: UUID
    object: Literal["consent_text"] = "consent_text"
    key: str
    language: str
    version: int
    purpose: Purpose
    channels: list[AnyChannel]
    text: str
    content: str | None
    method: str | None
    form: str | None
    frequency: Frequency | None
    digest: str = Field(description="SHA-256 of the text, in hexadecimal digits")
    created_at: datetime
