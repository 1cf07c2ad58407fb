"""Recording what people agree to and take back: the ledger grows, the newest answer is current."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row

from services.customer.consents.repository import ConsentRepository
from services.customer.customers.changes import CustomerChanges
from services.customer.timeline.entries import Entry
from services.customer.timeline.repository import TimelineRepository
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id

ContactPurpose = Literal["marketing", "care"]
Channel = Literal["email", "sms", "zalo", "call"]
Purpose = Literal["marketing", "care", "profiling", "sharing"]
"""To be written to, to be grouped by what one does, to be made known to others."""
AnyChannel = Literal["email", "sms", "zalo", "call", "any"]
"""`any` where it is not about being written to."""
Status = Literal["granted", "withdrawn"]
LegalBasis = Literal["consent", "contract", "legal_obligation", "legitimate_interest"]
Act = Literal[
    "ticked_box",
    "double_opt_in",
    "signed_form",
    "replied",
    "said_on_call",
    "said_in_person",
    "chose_in_preferences",
    "told_by_platform",
]
"""What a person did to say it. There is none for a box that was ticked for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a customer said, when, and where that can be proved.

    Raises ValueError for a yes without proof: nobody has ever agreed by default.
    """

    customer_id: UUID
    purpose: Purpose
    channel: AnyChannel
    status: Status
    at: datetime
    source: str
    proof: Mapping[str, Any] = field(default_factory=dict)
    legal_basis: LegalBasis = "consent"
    act: Act | None = None
    text_id: UUID | None = None
    text_digest: str | None = None
    frequency: Mapping[str, int] | None = None
    expires_at: datetime | None = None
    confirmed_at: datetime | None = None
    actor_kind: str | None = None
    actor_id: str | None = None
    client_ip: str | None = None
    user_agent: str | None = None
    id: UUID = field(default_factory=new_id)

    def __post_init__(self) -> None:
        if self.status == "granted" and not self.proof and self.text_id is None:
            raise ValueError("nobody agrees without doing or saying something that can be shown")


class ConsentRecorder:
    """Records answers of locked customers; changes of customers are applied, not saved."""

    def __init__(self, *, uow: UnitOfWork, changes: CustomerChanges) -> None:
        self._uow = uow
        self._changes = changes
        self._consents = ConsentRepository(uow)
        self._timeline = TimelineRepository(uow)

    async def record(self, answers: Sequence[Answer]) -> list[dict[str, Any]]:
        """The rows appended to the ledger; what weighs less than the current replaces nothing."""
        for answer in answers:
            self._make_current(answer)
        return await self._keep(answers)

    async def record_news(self, answers: Sequence[Answer]) -> None:
        """Append only answers that say something else, and later, than what is current.

        For sources that repeat what they know with everything they send.
        """
        news = []
        for answer in answers:
            if self._is_news(answer):
                self._make_current(answer)
                news.append(answer)
        await self._keep(news)

    async def _keep(self, answers: Sequence[Answer]) -> list[dict[str, Any]]:
        now = self._uow.clock.now()
        rows = [_row(answer, now) for answer in answers]
        await self._consents.add(rows)
        await self._timeline.add([_entry(answer) for answer in answers])
        return rows

    def _is_news(self, answer: Answer) -> bool:
        current = self._current(answer.customer_id).get((answer.purpose, answer.channel))
        if current is None:
            return True
        return current["status"] != answer.status and _counts_over(answer, current)

    def _make_current(self, answer: Answer) -> None:
        current = self._current(answer.customer_id)
        key = (answer.purpose, answer.channel)
        before = current.get(key)
        if before is not None and not _counts_over(answer, before):
            return
        current[key] = consent_json(
            *key, answer.status, answer.at, expires_at=answer.expires_at, frequency=answer.frequency
        )
        consents = [current[key] for key in sorted(current)]
        self._changes.apply(answer.customer_id, {"consents": consents})

    def _current(self, customer_id: UUID) -> dict[tuple[str, str], dict[str, Any]]:
        consents = self._changes[customer_id].consents
        return {(consent["purpose"], consent["channel"]): consent for consent in consents}


def consent_json(
    purpose: str,
    channel: str,
    status: str,
    at: datetime,
    *,
    expires_at: datetime | None,
    frequency: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """A current answer, as customers carry it along."""
    answer: dict[str, Any] = {
        "purpose": purpose,
        "channel": channel,
        "status": status,
        "changed_at": _told(at),
    }
    if expires_at is not None:
        answer["expires_at"] = _told(expires_at)
    if frequency is not None:
        answer["frequency"] = dict(frequency)
    return answer


def _counts_over(answer: Answer, current: Mapping[str, Any]) -> bool:
    """Whether an answer counts and not the current one: of two at one time the withdrawal."""
    said = (datetime.fromisoformat(current["changed_at"]), current["status"] == "withdrawn")
    return (answer.at, answer.status == "withdrawn") >= said


def united(latest: Iterable[Row[*tuple[Any, ...]]]) -> list[dict[str, Any]]:
    """What counts for a person, of what each of their records has said last.

    The newest answer for each purpose and channel; of two at one time the withdrawal.
    """
    current: dict[tuple[str, str], Row[*tuple[Any, ...]]] = {}
    for row in latest:
        key = (row.purpose, row.channel)
        current[key] = max(current.get(key, row), row, key=_weight)
    return [
        consent_json(
            *key, row.status, row.changed_at, expires_at=row.expires_at, frequency=row.frequency
        )
        for key, row in sorted(current.items())
    ]


def _weight(row: Row[*tuple[Any, ...]]) -> tuple[datetime, bool]:
    return row.changed_at, row.status == "withdrawn"


def _told(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _row(answer: Answer, now: datetime) -> dict[str, Any]:
    said = {name: getattr(answer, name) for name in Answer.__slots__ if name != "at"}
    return {
        **said,
        "proof": dict(answer.proof),
        "frequency": dict(answer.frequency) if answer.frequency is not None else None,
        "changed_at": answer.at,
        "created_at": now,
    }


def _entry(answer: Answer) -> Entry:
    return Entry(
        customer_id=answer.customer_id,
        type=f"consent.{answer.status}",
        occurred_at=answer.at,
        data={
            "consent_id": str(answer.id),
            "purpose": answer.purpose,
            "channel": answer.channel,
            "source": answer.source,
        },
    )
