"""SQL of reviews."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Row,
    Select,
    Text,
    Uuid,
    bindparam,
    delete,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from services.customer.families.seen import person_is_seen
from services.customer.reviews.errors import ReviewNotFound
from services.customer.reviews.models import (
    product_rating,
    review,
    review_policy,
    review_product,
    review_vote,
)
from shared.db.merged import Source, merged_page
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.rows import RowsParameter, any_id
from shared.db.unit_of_work import UnitOfWork
from shared.errors import LostRace
from shared.security.sight import Sight

Review = Row[*tuple[Any, ...]]
ReviewSort = Literal["newest", "most_helpful"]
NEWEST_FIRST: Final = (
    SortKey(review.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(review.c.id, "id", parse_id, descending=True),
)
MOST_HELPFUL_FIRST: Final = (
    SortKey(review.c.helpful_count, "helpful_count", int, descending=True),
    *NEWEST_FIRST,
)
NEWEST_OF_PRODUCT_FIRST: Final = (
    SortKey(review_product.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(review_product.c.review_id, "id", parse_id, descending=True),
)

_TENANT: Final = bindparam("tenant", type_=Uuid)
_ID: Final = bindparam("row_id", type_=Uuid)
_PRODUCT: Final = bindparam("wanted_product", type_=Text)
_MEMBERS: Final = bindparam("members", type_=ARRAY(Uuid))
_ADD: Final = insert(review).on_conflict_do_nothing().returning(*review.c)
_BY_ID: Final = select(review).where(review.c.tenant_id == _TENANT, review.c.id == _ID)
_LOCK: Final = _BY_ID.with_for_update()
_OF_PRODUCT_BY: Final = (
    select(review)
    .where(
        review.c.tenant_id == _TENANT,
        review.c.product_id == _PRODUCT,
        review.c.customer_id == func.any(_MEMBERS),
        review.c.kind == "product",
    )
    .order_by(review.c.created_at, review.c.id)
    .limit(1)
    .with_for_update()
)
# Written out: it is the condition of the index, which no plan for all values would use else.
_IS_RATING: Final = review.c.kind == literal_column("'order'", Text)
OF_ORDER: Final = select(review).where(
    review.c.tenant_id == _TENANT, review.c.order_id == _ID, _IS_RATING
)
_LOCK_OF_ORDER: Final = OF_ORDER.with_for_update()
LOCK_OF_ORDERS: Final = (
    select(review)
    .where(
        review.c.tenant_id == _TENANT,
        review.c.order_id == any_id("orders"),
        _IS_RATING,
    )
    .order_by(review.c.id)
    .with_for_update()
)
_PUBLISHED: Final = select(review).where(
    review.c.tenant_id == _TENANT,
    review.c.product_id == _PRODUCT,
    review.c.status == "published",
)

_links = RowsParameter("link", review_product, ("product_id", "review_id", "created_at"))
_LINK: Final = (
    insert(review_product)
    .from_select(["tenant_id", *_links.columns], select(_TENANT, *_links.source.c))
    .on_conflict_do_nothing(index_elements=["tenant_id", "product_id", "review_id"])
)
_UNLINK: Final = delete(review_product).where(
    review_product.c.tenant_id == _TENANT,
    review_product.c.review_id == _ID,
    review_product.c.product_id == func.any(bindparam("products", type_=ARRAY(Text))),
)
_PRODUCTS_OF: Final = select(review_product.c.product_id).where(
    review_product.c.tenant_id == _TENANT, review_product.c.review_id == _ID
)

_COUNTS: Final = (
    *(f"stars_{stars}" for stars in range(1, 6)),
    *("verified_count", "helpful_count"),
)
_counted = RowsParameter("counted", product_rating, ("product_id", "kind", *_COUNTS))


def _count() -> Any:
    given = insert(product_rating).from_select(
        ["tenant_id", *_counted.columns],
        select(_TENANT, *_counted.source.c).order_by(_counted.source.c.product_id),
    )
    return given.on_conflict_do_update(
        index_elements=["tenant_id", "product_id", "kind"],
        set_={name: product_rating.c[name] + given.excluded[name] for name in _COUNTS},
    )


_COUNT: Final = _count()
_RATINGS: Final = select(product_rating).where(
    product_rating.c.tenant_id == _TENANT, product_rating.c.product_id == _PRODUCT
)
_VOTE: Final = insert(review_vote).on_conflict_do_nothing().returning(review_vote.c.voter)
_VOTES_OF: Final = select(func.count()).where(
    review_vote.c.tenant_id == _TENANT,
    review_vote.c.review_id == _ID,
    review_vote.c.voter == func.any(_MEMBERS),
)
_UNVOTE: Final = (
    delete(review_vote)
    .where(
        review_vote.c.tenant_id == _TENANT,
        review_vote.c.review_id == _ID,
        review_vote.c.voter == func.any(_MEMBERS),
    )
    .returning(review_vote.c.voter)
)
_ADD_VOTES: Final = (
    update(review)
    .values(helpful_count=review.c.helpful_count + bindparam("more", type_=BigInteger))
    .where(review.c.tenant_id == _TENANT, review.c.id == _ID)
    .returning(*review.c)
)
_POLICY: Final = select(review_policy).where(review_policy.c.tenant_id == _TENANT)
_LOCK_POLICY: Final = _POLICY.with_for_update()
_ADD_POLICY: Final = (
    insert(review_policy)
    .on_conflict_do_nothing(index_elements=["tenant_id"])
    .returning(*review_policy.c)
)


@dataclass(frozen=True, slots=True)
class ReviewFilter:
    """Which reviews a client wants; None asks for nothing."""

    kind: str | None = None
    status: str | None = None
    rating: int | None = None
    verified: bool | None = None
    product_id: str | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """That so many more (or fewer) have given a product so many stars, or found it helpful."""

    product_id: str
    kind: str
    rating: int
    verified: bool
    times: int
    votes: int

    def as_row(self) -> dict[str, Any]:
        """The columns of the row, but for the tenant."""
        stars = {f"stars_{n}": self.times if n == self.rating else 0 for n in range(1, 6)}
        verified = self.times if self.verified else 0
        return {
            "product_id": self.product_id,
            "kind": self.kind,
            **stars,
            "verified_count": verified,
            "helpful_count": self.votes,
        }


class ReviewRepository:
    """Reviews, inside one unit of work; lists are narrowed to a caller's `sight`."""

    def __init__(self, uow: UnitOfWork, *, sight: Sight | None = None) -> None:
        self._uow = uow
        self._sight = sight
        self._tenant = {"tenant": uow.tenant_id}

    async def add(self, columns: Mapping[str, Any], products: Iterable[str]) -> Review:
        """A new review, about these products. Raises LostRace when there has just come another."""
        found = await self._uow.one_or_none(_ADD, {"tenant_id": self._uow.tenant_id, **columns})
        if found is None:
            raise LostRace
        await self.link(found, products)
        return found

    async def link(self, row: Review, products: Iterable[str]) -> None:
        """Have a review stand with these products, too."""
        rows = [
            {"product_id": product, "review_id": row.id, "created_at": row.created_at}
            for product in products
        ]
        if rows:
            await self._uow.execute(_LINK, {**self._tenant, **_links.values(rows)})

    async def unlink(self, review_id: UUID, products: Sequence[str]) -> None:
        """Have a review stand with these products no more."""
        if products:
            named = {**self._tenant, "row_id": review_id, "products": list(products)}
            await self._uow.execute(_UNLINK, named)

    async def get(self, review_id: UUID, *, lock: bool = False) -> Review:
        """Raises ReviewNotFound. Whether its customer is seen is not asked here."""
        statement = _LOCK if lock else _BY_ID
        row = await self._uow.one_or_none(statement, {**self._tenant, "row_id": review_id})
        if row is None:
            raise ReviewNotFound
        return row

    async def find_of_product_by(
        self, member_ids: Collection[UUID], product_id: str
    ) -> Review | None:
        """What a person has said of a product, locked."""
        wanted = {**self._tenant, "wanted_product": product_id, "members": list(member_ids)}
        return await self._uow.one_or_none(_OF_PRODUCT_BY, wanted)

    async def find_of_order(self, order_id: UUID, *, lock: bool = False) -> Review | None:
        """What was said of an order."""
        statement = _LOCK_OF_ORDER if lock else OF_ORDER
        return await self._uow.one_or_none(statement, {**self._tenant, "row_id": order_id})

    async def lock_of_orders(self, order_ids: Iterable[UUID]) -> Sequence[Review]:
        """What was said of any of these orders."""
        return await self._uow.rows(LOCK_OF_ORDERS, {**self._tenant, "orders": list(order_ids)})

    async def save(self, review_id: UUID, changes: Mapping[str, Any]) -> Review:
        """The review with these columns changed and its version grown."""
        statement = (
            update(review)
            .where(review.c.tenant_id == self._uow.tenant_id, review.c.id == review_id)
            .values(**changes, version=review.c.version + 1)
            .returning(*review.c)
        )
        return await self._uow.one(statement)

    async def products_of(self, review_id: UUID) -> Sequence[str]:
        """The products that a review is about."""
        return await self._uow.scalars(_PRODUCTS_OF, {**self._tenant, "row_id": review_id})

    async def count(self, counted: Sequence[Counted]) -> None:
        """Let these count in what products come to; at most one for a product and kind."""
        if counted:
            rows = _counted.values(each.as_row() for each in counted)
            await self._uow.execute(_COUNT, {**self._tenant, **rows})

    async def vote(
        self, review_id: UUID, voter: UUID, *, customer_id: UUID | None, others: Collection[UUID]
    ) -> int:
        """Keep a vote; 1 when it is new, also of all `others` that are the same person."""
        named = {**self._tenant, "row_id": review_id, "members": [voter, *others]}
        if await self._uow.scalar(_VOTES_OF, named):
            return 0
        row = {"review_id": review_id, "voter": voter, "customer_id": customer_id}
        now = self._uow.clock.now()
        added = await self._uow.rows(
            _VOTE, {"tenant_id": self._uow.tenant_id, **row, "created_at": now}
        )
        return len(added)

    async def unvote(self, review_id: UUID, voters: Collection[UUID]) -> int:
        """Forget these votes; how many there were."""
        named = {**self._tenant, "row_id": review_id, "members": list(voters)}
        return len(await self._uow.rows(_UNVOTE, named))

    async def add_votes(self, review_id: UUID, more: int) -> Review:
        """The review with so many votes more, or fewer; its version stays."""
        return await self._uow.one(_ADD_VOTES, {**self._tenant, "row_id": review_id, "more": more})

    async def ratings_of(self, product_id: str) -> dict[str, Mapping[str, Any]]:
        """What a product comes to, by kind."""
        rows = await self._uow.rows(_RATINGS, {**self._tenant, "wanted_product": product_id})
        return {row.kind: dict(row._mapping) for row in rows}

    async def page(
        self, wanted: ReviewFilter, request: PageRequest
    ) -> tuple[Sequence[Review], str | None]:
        """A page of the reviews that the caller sees, newest first, and the next cursor."""
        conditions = [review.c.tenant_id == _TENANT, *_conditions(wanted)]
        parameters: dict[str, Any] = {**self._tenant}
        if self._sight is not None:
            seen = person_is_seen(review.c.customer_id, of_teams=self._sight.of_teams)
            conditions.append(or_(review.c.customer_id.is_(None), seen))
            parameters |= self._sight.parameters()
        statement, order = _of_all(wanted, conditions)
        rows = await self._uow.rows(page(statement, order, request), parameters)
        return next_cursor(rows, order, request.limit)

    async def page_of(
        self, member_ids: Collection[UUID], request: PageRequest
    ) -> tuple[Sequence[Review], str | None]:
        """A page of what a person has said, newest first, and the next cursor."""
        statement = merged_page(
            review,
            list(review.c),
            [Source(lambda member: review.c.customer_id == member, _MEMBERS)],
            where=[review.c.tenant_id == _TENANT],
            order=NEWEST_FIRST,
            request=request,
        )
        rows = await self._uow.rows(statement, {**self._tenant, "members": list(member_ids)})
        return next_cursor(rows, NEWEST_FIRST, request.limit)

    async def published(
        self, product_id: str, sort: ReviewSort, request: PageRequest
    ) -> tuple[Sequence[Review], str | None]:
        """A page of what everybody may read of a product, and the next cursor."""
        order = NEWEST_FIRST if sort == "newest" else MOST_HELPFUL_FIRST
        rows = await self._uow.rows(
            page(_PUBLISHED, order, request), {**self._tenant, "wanted_product": product_id}
        )
        return next_cursor(rows, order, request.limit)

    async def find_policy(self, *, lock: bool = False) -> Row[*tuple[Any, ...]] | None:
        """What the shop has decided, if it has."""
        return await self._uow.one_or_none(_LOCK_POLICY if lock else _POLICY, self._tenant)

    async def put_policy(
        self, columns: Mapping[str, Any], *, is_new: bool
    ) -> Row[*tuple[Any, ...]] | None:
        """The policy as it is now; None when somebody else has just made the first."""
        if is_new:
            new = {"tenant_id": self._uow.tenant_id, **columns, "version": 1}
            return await self._uow.one_or_none(_ADD_POLICY, new)
        statement = (
            update(review_policy)
            .where(review_policy.c.tenant_id == self._uow.tenant_id)
            .values(**columns, version=review_policy.c.version + 1)
            .returning(*review_policy.c)
        )
        return await self._uow.one(statement)


def _of_all(
    wanted: ReviewFilter, conditions: Sequence[ColumnElement[bool]]
) -> tuple[Select[Any], tuple[SortKey, ...]]:
    if wanted.product_id is None:
        return select(review).where(*conditions), NEWEST_FIRST
    of_product = (
        review_product.c.tenant_id == _TENANT,
        review_product.c.product_id == wanted.product_id,
        review_product.c.review_id == review.c.id,
    )
    return select(review).where(*of_product, *conditions), NEWEST_OF_PRODUCT_FIRST


def _conditions(wanted: ReviewFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for name in ("kind", "status", "rating", "verified"):
        value = getattr(wanted, name)
        if value is not None:
            conditions.append(review.c[name] == value)
    return conditions
