"""The audit log as clients read it."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import Row

from gateway.audit_log.masking import masked
from shared.contracts.audit import ActorKind, AuditKind
from shared.pii import pii


class FieldChangeRead(BaseModel):
    """A field before and after."""

    old: Any = Field(examples=["Nguyễn Văn Đức"])
    new: Any = Field(examples=["Nguyễn Đức"])


class AuditSubjectRead(BaseModel):
    """An object that an entry is about."""

    object: str = Field(examples=["customer"])
    id: str = Field(examples=["0199d6a2-b1c9-7e4f-9b1f-5d6c7a8e9f00"])


class AuditEntryRead(BaseModel):
    """Who did what, when and from where. Entries are added and never changed."""

    id: UUID
    object: Literal["audit_entry"] = "audit_entry"
    at: datetime
    kind: AuditKind = Field(
        description="`change`: a write; `read`: personal data seen in full; `access`: a login and "
        "what belongs to it"
    )
    action: str = Field(description="The operation", examples=["customers.update"])
    actor_kind: ActorKind
    actor_id: str = Field(description="The member of staff, the API key, the customer")
    request_id: str | None
    client_ip: str | None = Field(examples=["203.0.113.7"])
    user_agent: str | None
    part: str = Field(description="Which service told of it", examples=["customer"])
    subjects: list[AuditSubjectRead]
    changes: Annotated[dict[str, FieldChangeRead], pii("document")]
    detail: Annotated[dict[str, Any], pii("document")]

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]], *, in_full: bool) -> Self:
        """The entry of a row; without `in_full` as those see it who lack `pii:read`."""
        columns = {name: row._mapping[name] for name in AUDIT_COLUMNS}
        return cls.model_validate(columns if in_full else masked(columns))


AUDIT_COLUMNS = tuple(name for name in AuditEntryRead.model_fields if name != "object")
