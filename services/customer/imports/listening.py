"""What rows tell in words: notes, and what people have agreed to."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.customer.consents.recording import Answer, ConsentRecorder
from services.customer.customers.changes import CustomerChanges
from services.customer.imports.key_repository import LIVE, KeyRepository
from services.customer.imports.plan import ImportPlan, RowOutcome
from services.customer.imports.rows import RowRead, row_key
from services.customer.imports.surroundings import Surroundings
from services.customer.notes.repository import NoteRepository
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id


class Listening:
    """Gathers the words of a batch of rows, and writes them at its end."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        plan: ImportPlan,
        known: Surroundings,
        changes: CustomerChanges,
    ) -> None:
        self._uow = uow
        self._plan = plan
        self._known = known
        self._changes = changes
        self._told: list[tuple[UUID, RowRead, RowOutcome]] = []
        self._notes: list[dict[str, Any]] = []
        self._answers: list[Answer] = []

    def listen(
        self,
        customer_id: UUID,
        said: RowRead,
        outcome: RowOutcome,
        *,
        consents: Sequence[Mapping[str, Any]],
    ) -> None:
        """Keep the note and the answers of a row for later; `consents` are those that count now."""
        if said.note:
            self._told.append((customer_id, said, outcome))
        if not said.consents:
            return
        current = {(known["purpose"], known["channel"]): known for known in consents}
        for consent in said.consents:
            known = current.get((consent.purpose, consent.channel))
            status = "granted" if consent.is_granted else "withdrawn"
            at = said.consent_at or self._uow.clock.now()
            if known is not None and (
                known["status"] == status or at < datetime.fromisoformat(known["changed_at"])
            ):
                continue
            self._answers.append(
                Answer(
                    customer_id=customer_id,
                    purpose=consent.purpose,
                    channel=consent.channel,
                    status=status,  # type: ignore[arg-type]
                    at=at,
                    source=self._plan.source,
                    proof=self._proof(said),
                )
            )
            outcome.added.setdefault("consents", []).append(
                [consent.purpose, consent.channel, status]
            )
            outcome.has_changed()

    async def leave_out_known_notes(self) -> None:
        """Keep only the notes that no import has brought before."""
        keyed = [
            ({each: row_key("note", each.hex, said.note or "") for each in records}, said, outcome)
            for customer_id, said, outcome in self._told
            # Of the records that the row has led to: it is known again there, merged or not.
            for records in (sorted(said.record_ids) or [customer_id],)
        ]
        asked = {key for keys, *_ in keyed for key in keys.values()}
        scope = self._plan.import_id if self._plan.is_dry else LIVE
        known = set(await KeyRepository(self._uow).keys(asked, scope=scope))
        now = self._uow.clock.now()
        for keys, said, outcome in keyed:
            if not known.isdisjoint(keys.values()):
                continue
            record_id, key = next(iter(keys.items()))
            known.add(key)
            self._known.new_keys[key] = (record_id, said.row)
            note_id = new_id()
            outcome.added["note"] = str(note_id)
            outcome.has_changed()
            note = {"id": note_id, "customer_id": record_id, "text": said.note, "pinned": False}
            times = {"created_at": now, "updated_at": now}
            self._notes.append({**note, **times, "created_by": None, "version": 1})

    async def write(self) -> None:
        """Keep the notes, and record the answers; changes of customers are applied, not saved."""
        await NoteRepository(self._uow).add_many(self._notes)
        if self._answers:
            recorder = ConsentRecorder(uow=self._uow, changes=self._changes)
            await recorder.record_news(self._answers)

    def _proof(self, said: RowRead) -> dict[str, Any]:
        proof = {"import_id": str(self._plan.import_id), "row": str(said.row)}
        return proof if said.consent_proof is None else {**proof, "text": said.consent_proof}
