"""What a list of customers is asked for besides filters: a page, an order, a search, a count."""

from typing import Final

from pydantic import Field

from services.customer.customers.lists import CountMode
from services.customer.customers.ordering import NEWEST, SortText
from services.customer.customers.search import Search
from shared.text import NormalisedStr
from shared.web.queries import QueryReader
from shared.web.resources import PageQuery


class ListQuery(PageQuery):
    """The parameters of the list that are no conditions."""

    q: NormalisedStr | None = Field(
        default=None,
        description="Words of a name (accents may be left out; where they are typed, names with "
        "the same come first), a code, part of an e-mail address, the last digits of a phone or "
        "the code of an order, with `#` before it alone; the best of the newest 200 matches first. "
        "Without `pii:read` names and codes only",
        examples=["nguyen van duc"],
    )
    sort: SortText = Field(
        default=NEWEST,
        description="By what, the least first; with `-` the greatest first. Who has nothing there "
        "comes last. `attributes.<key>` is a field of the shop's own; a search has its own order",
        examples=["-total_spent"],
    )
    count: CountMode | None = Field(
        default=None,
        description="Also tell how many there are: counted, which costs the more the more there "
        "are, or estimated from the newest ones. Of a search nothing is counted (`null`)",
    )

    def search(self, *, region: str, contacts: bool) -> Search | None:
        """What is searched for, in the contacts too if the caller may see them."""
        return Search.read(self.q, region=region, contacts=contacts) if self.q is not None else None


read_list: Final = QueryReader(ListQuery, lambda query: query)
"""The dependency that reads them."""
