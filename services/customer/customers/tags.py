"""The tags of customers as rows of their own, by which lists are filtered."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from sqlalchemy import Uuid, bindparam, select
from sqlalchemy.dialects.postgresql import insert

from services.customer.customers.models import customer_tag
from services.customer.customers.record import CustomerRecord
from shared.db.rows import RowsParameter

NEW_TAGS: Final = RowsParameter("tag", customer_tag, ("tag", "customer_id", "created_at"))


def insert_tags() -> Any:
    """Adds those of `NEW_TAGS` that are not there."""
    tenant = bindparam("tenant", type_=Uuid)
    return (
        insert(customer_tag)
        .from_select(["tenant_id", *NEW_TAGS.columns], select(tenant, *NEW_TAGS.source.c))
        .on_conflict_do_nothing(index_elements=["tenant_id", "tag", "customer_id"])
        .returning(customer_tag.c.tag)
    )


def tag_rows(customers: Iterable[CustomerRecord]) -> Iterator[dict[str, Any]]:
    """A row for each tag of each of them."""
    for record in customers:
        for tag in record.tags:
            yield {"tag": tag, "customer_id": record.id, "created_at": record.created_at}
