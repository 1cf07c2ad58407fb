"""One person, who may be several records of the customer service; see `docs/adr/0013`.

Facts keep the id of the record that they came with. A merged record's profile is in no segment;
the profile of the record that stands for it lists all of them, so that a rule finds their facts by
the same index as before, and nothing is looked up for whoever is one record.
"""

from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Uuid, case
from sqlalchemy.dialects.postgresql import array

from services.segmentation.facts.models import profile as profiles
from shared.db.aliases import Aliases

RECORDS: Final = Aliases(profiles, key="customer_id")


def records_of(profile: FromClause) -> ColumnElement[Any]:
    """The records whose facts are a profile's, as an array; `profile` is the table or an alias."""
    alone: ColumnElement[Any] = array([profile.c.customer_id], type_=Uuid)
    # Not coalesce(): under row-level security no index would be used for what it gives.
    members = profile.c.member_ids
    return case((members.is_(None), alone), else_=members)
