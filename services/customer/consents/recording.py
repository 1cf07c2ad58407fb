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

Purpose = Literal["marketing", "care"]
Channel = Literal["email", "sms", "zalo", "call"]
Status = Literal["granted", "withdrawn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a customer said, when, and where that can be proved."""

    customer_id: UUID
    purpose: Purpose
    channel: Channel
    status: Status
    at: datetime
    source: str
    proof: Mapping[str, Any] = field(default_factory=dict)
    id: UUID = field(default_factory=new_id)


class ConsentRecorder:
    """Records answers of locked customers; changes of customers are applied, not saved."""

    def __init__(self, *, uow: UnitOfWork, changes: CustomerChanges) -> None:
        self._uow = uow
        self._changes = changes
        self._consents = ConsentRepository(uow)
        self._timeline = TimelineRepository(uow)

    async def record(self, answers: Sequence[Answer]) -> list[dict[str, Any]]:
        """The rows appended to the ledger; an answer older than the current does not replace it."""
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
        is_later = answer.at >= datetime.fromisoformat(current["changed_at"])
        return is_later and current["status"] != answer.status

    def _make_current(self, answer: Answer) -> None:
        current = self._current(answer.customer_id)
        key = (answer.purpose, answer.channel)
        before = current.get(key)
        if before is not None and answer.at < datetime.fromisoformat(before["changed_at"]):
            return
        current[key] = consent_json(answer.purpose, answer.channel, answer.status, answer.at)
        consents = [current[key] for key in sorted(current)]
        self._changes.apply(answer.customer_id, {"consents": consents})

    def _current(self, customer_id: UUID) -> dict[tuple[str, str], dict[str, Any]]:
        consents = self._changes[customer_id].consents
        return {(consent["purpose"], consent["channel"]): consent for consent in consents}


def consent_json(purpose: str, channel: str, status: str, at: datetime) -> dict[str, Any]:
    """A current answer, as customers carry it along."""
    return {
        "purpose": purpose,
        "channel": channel,
        "status": status,
        "changed_at": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }


def united(latest: Iterable[Row[*tuple[Any, ...]]]) -> list[dict[str, Any]]:
    """What counts for a person, of what each of their records has said last.

    The newest answer for each purpose and channel; of two at one time the withdrawal.
    """
    current: dict[tuple[str, str], Row[*tuple[Any, ...]]] = {}
    for row in latest:
        key = (row.purpose, row.channel)
        current[key] = max(current.get(key, row), row, key=_weight)
    return [
        consent_json(*key, current[key].status, current[key].changed_at) for key in sorted(current)
    ]


def _weight(row: Row[*tuple[Any, ...]]) -> tuple[datetime, bool]:
    return row.changed_at, row.status == "withdrawn"


def _row(answer: Answer, now: datetime) -> dict[str, Any]:
    return {
        "id": answer.id,
        "customer_id": answer.customer_id,
        "purpose": answer.purpose,
        "channel": answer.channel,
        "status": answer.status,
        "source": answer.source,
        "proof": dict(answer.proof),
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
