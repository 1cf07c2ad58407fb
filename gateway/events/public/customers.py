"""Customers, who they are and which records are theirs."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field

from gateway.events.projection import Amount, From, PublicObject
from gateway.events.public.base import Channel, EventBase
from shared.contracts import customer as c
from shared.contracts import duplicates as d
from shared.contracts import imports as i
from shared.contracts.event import Event
from shared.money import MoneyRead
from shared.pii import pii


class EventFrequency(PublicObject):
    """At most so many messages in so many days."""

    max_messages: int
    per_days: int


class CustomerConsent(PublicObject):
    """What a customer has said about one purpose on one channel."""

    purpose: Literal["marketing", "care"]
    channel: Channel
    status: Literal["granted", "withdrawn"]
    changed_at: datetime
    expires_at: datetime | None = Field(default=None, description="It counts until then")
    frequency: EventFrequency | None = Field(
        default=None, description="How often at most the person was told to be written to"
    )


class EventLunarDay(PublicObject):
    """A day of the Vietnamese lunar calendar; the year where it is known."""

    day: int
    month: int
    leap_month: bool = False
    year: int | None = None


class EventIncomeBand(PublicObject):
    """Income a month: `at_least` so much, and less than `below`."""

    currency: str
    at_least: str | None = None
    below: str | None = None


class EventAddress(PublicObject):
    """Where a customer is first of all, with codes in both schemes of Vietnam as far as known."""

    street: Annotated[str | None, pii("address")] = None
    ward: str | None = None
    district: str | None = None
    city: str | None = None
    province: str | None = None
    country: str | None = None
    postal_code: str | None = None
    vn63_province_code: str | None = None
    vn63_district_code: str | None = None
    vn63_ward_code: str | None = None
    vn34_province_code: str | None = None
    vn34_province: str | None = None
    vn34_ward_code: str | None = None


class EventCustomer(PublicObject):
    """A customer as of the event. `version` grows with every change: keep the highest.

    The figures count orders that are neither cancelled nor voided; `total_spent` is paid minus
    refunded.
    """

    id: Annotated[UUID, From("customer_id")]
    object: Literal["customer"] = "customer"
    version: int
    code: str = Field(examples=["KH000123"])
    stage: Literal["lead", "customer"]
    kind: Literal["person", "organisation"] = "person"
    relation: str = "customer"
    name: Annotated[str | None, pii("name")] = None
    email: Annotated[str | None, pii("email")] = None
    phone: Annotated[str | None, pii("phone")] = None
    locale: str | None = None
    gender: Literal["female", "male", "other"] | None = None
    birth_date: Annotated[date | None, pii("date")] = None
    given_name: Annotated[str | None, pii("name")] = None
    honorific: str | None = None
    birth_date_lunar: Annotated[EventLunarDay | None, pii("date")] = None
    occupation: str | None = None
    position: str | None = None
    income_band: Annotated[EventIncomeBand | None, pii("sensitive")] = None
    preferences: list[str] | None = None
    preferred_channel: str | None = None
    time_zone: str | None = None
    rating: int | None = None
    tax_code: Annotated[str | None, pii("words")] = None
    address: EventAddress | None = None
    city: str | None = None
    province: str | None = None
    country: str | None = None
    source: str
    merged_into: UUID | None = Field(
        default=None, description="Who stands for this record since it was merged"
    )
    tags: list[str] = Field(default_factory=list)
    attributes: Annotated[dict[str, Any], pii("attributes")] = Field(default_factory=dict)
    consents: list[CustomerConsent]
    value_tier: Literal["standard", "silver", "gold", "vip"] = "standard"
    orders_count: int = 0
    total_spent: Annotated[MoneyRead, Amount("total_spent_minor")]
    first_order_at: datetime | None = None
    last_order_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


class EventDuplicateScan(PublicObject):
    """A scan of all customers for duplicates, and what it has found."""

    id: Annotated[UUID, From("scan_id")]
    object: Literal["duplicate_scan"] = "duplicate_scan"
    mode: Literal["full", "changed"]
    min_score: int
    customers: int
    pairs: int = Field(description="Who may be one person, known or not")
    new_pairs: int = Field(description="Of them those who were no candidates before")
    created_at: datetime
    finished_at: datetime


class EventImport(PublicObject):
    """The run of an import that has ended, and what became of the rows that it dealt with."""

    id: Annotated[UUID, From("import_id")]
    object: Literal["import"] = "import"
    version: int
    job_id: UUID = Field(description="Has the outcome of every row, for seven days")
    source: str
    status: Literal["finished", "cancelled", "failed"]
    rows: int
    rows_done: int
    created: int
    updated: int
    unchanged: int
    merged: int
    invalid: int
    erased: int
    possible_duplicates: int
    created_at: datetime
    ended_at: datetime


class CustomerData(PublicObject):
    """A customer."""

    customer: EventCustomer


class CustomerMergeData(PublicObject):
    """A record of a customer, and the merge that was done or undone."""

    customer: EventCustomer
    merge_id: UUID


class DuplicateScanData(PublicObject):
    """A scan for duplicates."""

    scan: EventDuplicateScan


class ImportData(PublicObject):
    """A run of an import."""

    run: EventImport


class CustomerCreated(EventBase):
    """A customer became known."""

    type: Literal["customer.created"]
    data: CustomerData


class CustomerUpdated(EventBase):
    """Anything about a customer changed, consents and order figures too."""

    type: Literal["customer.updated"]
    data: CustomerData


class CustomerMerged(EventBase):
    """A record was merged: `merged_into` stands for it. Its id and code lead there from now on."""

    type: Literal["customer.merged"]
    data: CustomerMergeData


class CustomerUnmerged(EventBase):
    """A record stands for itself again, or another one than before stands for it."""

    type: Literal["customer.unmerged"]
    data: CustomerMergeData


class DuplicatesScanned(EventBase):
    """A scan for duplicates has reached its end."""

    type: Literal["duplicates.scanned"]
    data: DuplicateScanData


class ImportFinished(EventBase):
    """The run of an import has ended: it is finished, or was cancelled or given up."""

    type: Literal["import.finished"]
    data: ImportData


CustomerEvent = (
    CustomerCreated
    | CustomerUpdated
    | CustomerMerged
    | CustomerUnmerged
    | DuplicatesScanned
    | ImportFinished
)

EVENTS: Final[Mapping[type[Event], type[EventBase]]] = {
    c.CustomerCreated: CustomerCreated,
    c.CustomerUpdated: CustomerUpdated,
    c.CustomerMerged: CustomerMerged,
    c.CustomerUnmerged: CustomerUnmerged,
    d.DuplicatesScanned: DuplicatesScanned,
    i.ImportFinished: ImportFinished,
}
