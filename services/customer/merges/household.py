"""Who is one person before a merge is undone, and who goes with whom after it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from services.customer.customers.record import CustomerRecord


@dataclass(frozen=True, slots=True)
class Household:
    """All records of one person, of whom some are to leave."""

    root_id: UUID
    records: Mapping[UUID, CustomerRecord]
    parents: Mapping[UUID, UUID]
    leaving: Mapping[UUID, UUID]
    """Of each record that leaves: who stands for it from then on."""

    @property
    def roots(self) -> dict[UUID, UUID]:
        """Of every record: who stands for it after the merge was undone."""
        return {record_id: self.leaving.get(record_id, self.root_id) for record_id in self.records}

    def path_up(self, record_id: UUID) -> list[UUID]:
        """A record, into whom it was merged, and so on up to the root."""
        path = [record_id]
        while path[-1] in self.parents:
            path.append(self.parents[path[-1]])
        return path

    def staying_with(self, record_id: UUID) -> set[UUID]:
        """A record and those below it, but for who leaves."""
        staying = self.records.keys() - self.leaving.keys()
        return {each for each in staying if record_id in self.path_up(each)}


def below(tops: Iterable[UUID], parents: Mapping[UUID, UUID]) -> dict[UUID, UUID]:
    """Everybody below these and themselves, with who of these is above them."""
    children: dict[UUID, list[UUID]] = {}
    for child_id, parent_id in parents.items():
        children.setdefault(parent_id, []).append(child_id)
    found: dict[UUID, UUID] = {}
    for top in tops:
        waiting = [top]
        while waiting:
            record_id = waiting.pop()
            found[record_id] = top
            waiting += children.get(record_id, ())
    return found
