"""What one unit of work leaves in the audit log, in the transaction of the change itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from shared.contracts.audit import (
    ActorKind,
    AuditKind,
    AuditRecord,
    AuditRecorded,
    AuditSubject,
    FieldChange,
)
from shared.ids import new_id
from shared.json import dumps

SENSITIVE: Final = "sensitive"
"""Where the detail of a read names the sensitive fields that were seen."""

_MOST_BYTES: Final = 4096
_NOT_NEWS: Final = frozenset({"updated_at", "version", "created_at"})


@dataclass(frozen=True, slots=True)
class Actor:
    """Who works, from where, and through which operation."""

    kind: ActorKind
    id: str
    action: str
    request_id: str | None = None
    client_ip: str | None = None
    user_agent: str | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that was done; `action` only where it is not the actor's operation."""

    subjects: Sequence[AuditSubject]
    changes: Mapping[str, FieldChange] | None = None
    kind: AuditKind = "change"
    action: str | None = None
    detail: Mapping[str, Any] | None = None

    @classmethod
    def of(
        cls,
        object_: str,
        object_id: object,
        changes: Mapping[str, FieldChange] | None = None,
        *,
        customer_id: object | None = None,
    ) -> "AuditEntry":
        """A change of one object, and whose it is, so that an erasure of them finds the entry."""
        subjects = [AuditSubject(object=object_, id=str(object_id))]
        if customer_id is not None:
            subjects.append(AuditSubject(object="customer", id=str(customer_id)))
        return cls(subjects, changes)


class AuditTrail:
    """Collects the entries of one unit of work; without an actor it is the system's own work."""

    def __init__(self, part: str) -> None:
        self._actor = Actor("system", part, "background")
        self._entries: list[AuditEntry] = []
        self.has_told = False

    @property
    def actor(self) -> Actor:
        """Who works."""
        return self._actor

    def act_for(self, actor: Actor) -> None:
        """What is recorded from now on was done by `actor`."""
        self._actor = actor

    def record(self, entry: AuditEntry) -> None:
        """Keep an entry for the commit."""
        self._entries.append(entry)
        self.has_told = True

    def mark(self) -> tuple[list[AuditEntry], bool]:
        """A point to rewind to."""
        return list(self._entries), self.has_told

    def rewind(self, mark: tuple[list[AuditEntry], bool]) -> None:
        """Be as it was at `mark`, also when what was there has been written and undone since."""
        self._entries, self.has_told = mark

    def take(self, at: datetime) -> AuditRecorded | None:
        """Everything recorded, as the event that carries it; then empty."""
        if not self._entries:
            return None
        entries, self._entries = self._entries, []
        return AuditRecorded(records=tuple(audit_record(self._actor, e, at) for e in entries))


def audit_record(actor: Actor, entry: AuditEntry, at: datetime) -> AuditRecord:
    """An entry with who did it and when."""
    return AuditRecord(
        id=new_id(),
        at=at,
        kind=entry.kind,
        action=entry.action or actor.action,
        actor_kind=actor.kind,
        actor_id=actor.id,
        request_id=actor.request_id,
        client_ip=actor.client_ip,
        user_agent=actor.user_agent,
        subjects=tuple(entry.subjects),
        changes=dict(entry.changes or {}),
        detail=dict(entry.detail or {}),
    )


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, FieldChange]:
    """The fields that both have and that differ, but for bookkeeping; long values by their size."""
    return {
        name: FieldChange(old=_bounded(old), new=_bounded(after[name]))
        for name, old in before.items()
        if name not in _NOT_NEWS and name in after and after[name] != old
    }


def _bounded(value: Any) -> Any:
    """The value as JSON has it. A template's whole text is the template's business."""
    written = dumps(value)
    if len(written) <= _MOST_BYTES:
        return orjson.loads(written)
    return {"bytes": len(written)}
