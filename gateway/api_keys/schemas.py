"""API keys as clients write and read them."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError
from sqlalchemy import Row

from gateway.access.scopes import GRANTABLE
from shared.moments import Instant
from shared.text import Name


def _known_scope(scope: str) -> str:
    if scope not in GRANTABLE:
        raise PydanticCustomError("unknown_scope", "Not a scope that a key can be given")
    return scope


Scope = Annotated[str, Field(max_length=64, examples=["customers:read"])]
GrantableScope = Annotated[Scope, AfterValidator(_known_scope)]


class ApiKeyCreate(BaseModel):
    """A new key."""

    model_config = ConfigDict(extra="forbid")

    name: Name = Field(examples=["Storefront"])
    scopes: Annotated[list[GrantableScope], Field(min_length=1, max_length=len(GRANTABLE))]
    expires_at: Instant | None = Field(default=None, description="Never, if absent")


class ApiKeyRead(BaseModel):
    """A key, without its secret."""

    id: UUID
    object: Literal["api_key"] = "api_key"
    name: str = Field(examples=["Storefront"])
    hint: str = Field(description="How to recognise it", examples=["cl_...wXyZ"])
    scopes: list[Scope]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """The key of a row."""
        return cls.model_validate({name: row._mapping[name] for name in API_KEY_COLUMNS})


class ApiKeyCreated(ApiKeyRead):
    """A new key, and the only time that its secret is told."""

    key: str = Field(description="Send it as `Authorization: Bearer ...`. It is not stored.")


API_KEY_COLUMNS = tuple(name for name in ApiKeyRead.model_fields if name != "object")
