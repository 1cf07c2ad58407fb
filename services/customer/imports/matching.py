"""Whose row it is: by the shop's code, the source's own id, a contact, or a row of before."""

from collections.abc import Mapping
from uuid import UUID

from services.customer.customers.changes import CustomerChanges
from services.customer.imports.newcomers import Newcomer
from services.customer.imports.plan import ImportPlan
from services.customer.imports.rows import RowRead
from services.customer.imports.surroundings import Surroundings
from shared.text import search_key


class Matching:
    """Finds the customer of each row among those whom the batch may speak of."""

    def __init__(
        self,
        *,
        plan: ImportPlan,
        known: Surroundings,
        changes: CustomerChanges,
        newcomers: Mapping[UUID, Newcomer],
    ) -> None:
        self._plan = plan
        self._known = known
        self._changes = changes
        self._newcomers = newcomers

    def owner(self, said: RowRead) -> UUID | None:
        """Whose row it is; None for nobody's yet. What cannot be decided is refused."""
        if said.refused is not None:
            return None
        return self._unless_erased(said, self._found(said))

    def _found(self, said: RowRead) -> UUID | None:
        if said.code is not None:
            return self._by_code(said, said.code)
        if said.external is not None:
            owner = self._known.owner(said.external)
            if owner is not None:
                said.record_ids = self._known.records_with(said.external, owner)
                return owner
        chosen = self._by_contact(said)
        if chosen is not None or said.refused:
            return chosen
        for key in said.keys:
            known = self._known.known_key(key)
            if known is None:
                continue
            found = self._known.root(known.customer_id)
            if found and not self._known.has_other_external(found, said.external):
                said.record_ids = (known.customer_id,)
                return found
        return None

    def _by_code(self, said: RowRead, code: str) -> UUID | None:
        record_id = self._known.record_of_code(code)
        found = None if record_id is None else self._known.root(record_id)
        if record_id is None or found is None:
            said.refused = "code_not_known"
            return None
        said.record_ids = (record_id,)
        return found

    def _unless_erased(self, said: RowRead, found: UUID | None) -> UUID | None:
        """Refuses what tells of somebody whose data had to go: a file is no wish of theirs."""
        if said.refused is not None:
            return None
        if found is None:
            is_erased = self._known.was_erased(said)
        else:
            is_erased = found in self._changes and self._changes[found].erased_at is not None
        if is_erased:
            said.refused = "erased"
        return None if is_erased else found

    def _by_contact(self, said: RowRead) -> UUID | None:
        """The one customer with this address or number, where the shop says that this suffices.

        Of several it is the one with the same name; otherwise nobody can tell.
        """
        for kind in self._plan.match_by:
            identities = [identity for identity in said.identities if identity.kind == kind]
            found = {
                root
                for identity in identities
                for held in self._known.holders(identity)
                if (root := self._known.root(held.customer_id)) is not None
                and not self._known.has_other_external(root, said.external)
            }
            if len(found) > 1:
                found = {root for root in found if self._is_called(root, said.name_key)}
                if len(found) != 1:
                    said.refused = "several_customers_match"
                    return None
            if found:
                chosen = found.pop()
                said.record_ids = {
                    record_id
                    for identity in identities
                    for record_id in self._known.records_with(identity, chosen)
                }
                return chosen
        return None

    def _is_called(self, customer_id: UUID, name_key: str) -> bool:
        was_called = self._known.tried.is_called(customer_id, name_key)
        return self._name_key(customer_id) == name_key if was_called is None else was_called

    def _name_key(self, customer_id: UUID) -> str:
        name: str | None = None
        if customer_id in self._newcomers:
            name = self._newcomers[customer_id].columns.get("name")
        elif customer_id in self._changes:
            name = self._changes[customer_id].name
        return search_key(name) if name else ""
