"""Decisions about legal holds."""

from uuid import UUID

from services.customer.customers.errors import CustomerIsErased, CustomerNotFound
from services.customer.families.family import Families
from services.customer.families.seen import SeenPeople
from services.customer.privacy.errors import LegalHoldNotFound
from services.customer.privacy.repository import Found, FoundPage, PrivacyRepository
from services.customer.privacy.schemas import LegalHoldCreate
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.errors import FieldError, Invalid
from shared.ids import new_id


class LegalHoldService:
    """What clients can do with legal holds."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        requests: PrivacyRepository,
        people: SeenPeople,
        actor_id: str,
    ) -> None:
        self._uow = uow
        self._requests = requests
        self._people = people
        self._actor_id = actor_id

    async def place(self, given: LegalHoldCreate) -> Found:
        """A new hold, in force from now on.

        Raises CustomerNotFound, Invalid, CustomerIsErased.
        """
        await self._people.family(given.customer_id)
        # An erasure comes before this or after it.
        await Families(self._uow).lock(given.customer_id)
        _, root = await self._people.person(given.customer_id)
        if root.erased_at is not None:
            raise CustomerIsErased
        now = self._uow.clock.now()
        if given.until is not None and given.until <= now:
            detail = "A hold that has ended holds nothing"
            raise Invalid(errors=[FieldError("/body/until", "past", detail)])
        return await self._requests.add_hold(
            {
                **given.model_dump(),
                "id": new_id(),
                "placed_by": self._actor_id,
                "placed_at": now,
            }
        )

    async def get(self, hold_id: UUID, *, lock: bool = False) -> Found:
        """Raises LegalHoldNotFound."""
        row = await self._requests.get_hold(hold_id, lock=lock)
        try:
            await self._people.family(row.customer_id)
        except CustomerNotFound as error:
            raise LegalHoldNotFound from error
        return row

    async def release(self, hold_id: UUID) -> Found:
        """End a hold; one that has ended stays as it is. Raises LegalHoldNotFound."""
        row = await self.get(hold_id, lock=True)
        if row.released_at is not None:
            return row
        return await self._requests.release_hold(hold_id, by=self._actor_id)

    async def page(self, customer_id: UUID | None, request: PageRequest) -> FoundPage:
        """A page of holds, newest first: a person's, or all that the caller sees.

        Raises CustomerNotFound.
        """
        if customer_id is None:
            return await self._requests.holds(None, request)
        family = await self._people.family(customer_id)
        return await self._requests.holds(family.member_ids, request)
