"""Shops as the operator writes and reads them."""

import zoneinfo
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints
from pydantic_core import PydanticCustomError

from gateway.staff.schemas import Email, Password, StaffRead
from shared.bodies import Body
from shared.contracts.gateway import TenantState
from shared.ids import TenantId
from shared.money import CurrencyCode
from shared.text import Name


@lru_cache
def _timezones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _known_timezone(name: str) -> str:
    if name not in _timezones():
        raise PydanticCustomError("timezone", "Not a time zone of the IANA database")
    return name


Slug = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])$"),
    Field(examples=["hoa-sen"], description="Names the shop in the whole installation"),
]
Timezone = Annotated[str, Field(max_length=64), AfterValidator(_known_timezone)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


class OwnerCreate(Body):
    """The person who can do everything in the new shop."""

    name: Name = Field(examples=["Nguyễn Văn Đức"])
    email: Email
    password: Password


class TenantCreate(Body):
    """A new shop."""

    name: Name = Field(examples=["Hoa Sen"])
    slug: Slug
    timezone: Timezone = "Asia/Ho_Chi_Minh"
    currency: CurrencyCode = "VND"
    locale: Literal["vi", "en"] = "vi"
    country: Country = "VN"
    owner: OwnerCreate


class TenantRead(BaseModel):
    """A shop, with its owner."""

    id: UUID
    object: Literal["tenant"] = "tenant"
    name: str
    slug: str
    timezone: str
    currency: str
    locale: Literal["vi", "en"]
    country: str
    created_at: datetime
    updated_at: datetime
    version: int
    owner: StaffRead

    @classmethod
    def of(
        cls, tenant_id: TenantId, state: TenantState, *, created_at: datetime, owner: StaffRead
    ) -> Self:
        """A shop that was just created."""
        return cls(
            id=tenant_id,
            created_at=created_at,
            updated_at=created_at,
            owner=owner,
            **state.model_dump(),
        )
