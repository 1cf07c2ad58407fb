"""Contact persons as clients write and read them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.customer.customers.schemas import Email, PhoneText
from shared.bodies import Body
from shared.pii import pii
from shared.text import Name, NormalisedStr, Prose
from shared.web.patches import NeverNull


class ContactPersonCreate(Body):
    """Somebody to speak to at a customer, mostly an organisation."""

    name: Name = Field(examples=["Trần Thị Mai"])
    position: NormalisedStr | None = Field(default=None, examples=["Kế toán trưởng"])
    email: Email | None = None
    phone: PhoneText | None = None
    note: Prose | None = None
    is_primary: bool = False


class ContactPersonPatch(ContactPersonCreate):
    """A change: what is absent stays as it is, `null` clears."""

    name: Annotated[Name | None, NeverNull()] = None  # type: ignore[assignment]
    is_primary: Annotated[bool | None, NeverNull()] = None  # type: ignore[assignment]


class ContactPersonRead(BaseModel):
    """A contact person."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    object: Literal["contact"] = "contact"
    customer_id: UUID
    name: Annotated[str, pii("name")]
    position: str | None
    email: Annotated[str | None, pii("email")]
    phone: Annotated[str | None, pii("phone")] = Field(description="E.164")
    note: Annotated[str | None, pii("words")]
    is_primary: bool
    created_at: datetime
    updated_at: datetime
    version: int


class ContactPersonList(BaseModel):
    """All contact persons of a customer, the primary one first, then the newest."""

    data: list[ContactPersonRead]
