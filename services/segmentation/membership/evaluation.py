"""Statements that ask many rules of many customers at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Integer,
    Select,
    Uuid,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by, array

from services.segmentation.facts.models import profile
from services.segmentation.membership.models import membership
from services.segmentation.rules import compile_rule
from services.segmentation.segments.active import ActiveSegment

TENANT: Final = bindparam("tenant", type_=Uuid)
IDS: Final = bindparam("ids", type_=ARRAY(Uuid))
_IS_CUSTOMER: Final = and_(profile.c.active, profile.c.version > 0)
_OF_TENANT: Final = profile.c.tenant_id == TENANT


def answers(
    segments: Sequence[ActiveSegment], *, as_of: datetime, timezone: ZoneInfo
) -> Select[Any]:
    """Selects, of each customer in `:ids`, whether they match each of the segments' rules.

    `matches` is an array in the order of the segments; null for somebody who is no customer.
    `version` is that of the customer's state which was asked.
    """
    matches: ColumnElement[Any] = array(
        [_matches(segment, as_of, timezone).is_(True) for segment in segments], type_=Boolean
    )
    return select(
        profile.c.customer_id,
        profile.c.version,
        case((_IS_CUSTOMER, matches)).label("matches"),
    ).where(_OF_TENANT, profile.c.customer_id == func.any(IDS))


def drifted(
    segments: Sequence[ActiveSegment], *, as_of: datetime, timezone: ZoneInfo
) -> Select[Any]:
    """Selects, of `:limit` customers after `:after`, whom the members' lists are wrong about.

    One row: how many customers were looked at, the `last` of them, and the `drifted` ones.
    """
    wrong = or_(
        *(
            and_(_IS_CUSTOMER, _matches(segment, as_of, timezone)).is_(True) != _is_member(segment)
            for segment in segments
        )
    )
    looked_at = (
        select(profile.c.customer_id, wrong.label("wrong"))
        .where(_OF_TENANT, profile.c.customer_id > bindparam("after", type_=Uuid))
        .order_by(profile.c.customer_id)
        .limit(bindparam("limit", type_=Integer))
        .subquery("looked_at")
    )
    who = looked_at.c.customer_id
    newest_first: Any = func.array_agg(aggregate_order_by(who, who.desc()), type_=ARRAY(Uuid))
    in_order: Any = func.array_agg(aggregate_order_by(who, who.asc()), type_=ARRAY(Uuid))
    counted: Select[Any] = select(
        func.count().label("looked_at"),
        newest_first[1].label("last"),
        in_order.filter(looked_at.c.wrong).label("drifted"),
    ).select_from(looked_at)
    return counted


def count_matches(rule_predicate: ColumnElement[bool]) -> Select[int, int]:
    """Selects how many customers match, and how many there are."""
    return select(
        func.count().filter(rule_predicate.is_(True)).label("matching"),
        func.count().label("total"),
    ).where(_OF_TENANT, _IS_CUSTOMER)


def newest_matches(rule_predicate: ColumnElement[bool]) -> Select[Any]:
    """Selects the `:limit` customers known last who match."""
    return (
        select(profile.c.customer_id, profile.c.code, profile.c.full_name.label("name"))
        .where(_OF_TENANT, _IS_CUSTOMER, rule_predicate)
        .order_by(profile.c.customer_id.desc())
        .limit(bindparam("limit", type_=Integer))
    )


def _matches(segment: ActiveSegment, as_of: datetime, timezone: ZoneInfo) -> ColumnElement[bool]:
    predicate: ColumnElement[bool] = compile_rule(
        segment.rule, tenant_id_param=TENANT, as_of=as_of, timezone=timezone
    )
    return predicate


def _is_member(segment: ActiveSegment) -> ColumnElement[bool]:
    return exists(
        select(literal(1))
        .where(
            membership.c.tenant_id == TENANT,
            membership.c.segment_id == literal(segment.id, Uuid),
            membership.c.customer_id == profile.c.customer_id,
        )
        .correlate(profile)
    )
