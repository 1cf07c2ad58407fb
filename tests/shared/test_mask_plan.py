"""What callers without `pii:read` see of an answer, by the marks in its schema."""

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, TypeAdapter

from shared.pii import FieldMarks, MaskPlan, pii


class Contact(BaseModel):
    email: Annotated[str | None, pii("email")]
    label: str


class Person(BaseModel):
    id: int
    name: Annotated[str, pii("name")]
    contacts: list[Contact] = []
    by_kind: dict[str, Contact] = {}
    chosen: Contact | int | None = None
    superior: "Person | None" = None


class Ticket(BaseModel):
    id: int
    title: str


def masked(model: Any, value: Any) -> Any:
    return MaskPlan(TypeAdapter(model).json_schema(mode="serialization")).apply(value)


LAN = {"id": 1, "name": "Nguyễn Lan"}
MAIL, HIDDEN = {"email": "lan@x.vn", "label": "nhà"}, {"email": "l***@x.vn", "label": "nhà"}


@pytest.mark.parametrize(
    ("model", "value", "seen"),
    [
        (Person, LAN, {"id": 1, "name": "N. L."}),
        (list[Person], [LAN], [{"id": 1, "name": "N. L."}]),
        (Person, LAN | {"contacts": [MAIL, MAIL]}, {"contacts": [HIDDEN, HIDDEN]}),
        (Person, LAN | {"by_kind": {"home": MAIL}}, {"by_kind": {"home": HIDDEN}}),
        (Person, LAN | {"chosen": MAIL}, {"chosen": HIDDEN}),
        (Person, LAN | {"chosen": 7}, {"chosen": 7}),
        (Person, LAN | {"chosen": None}, {"chosen": None}),
        (Contact, {"email": None, "label": "nhà"}, {"email": None, "label": "nhà"}),
        (Person, LAN | {"superior": LAN | {"superior": LAN}}, {}),
    ],
)
def test_what_is_marked_is_masked_wherever_it_is(model: Any, value: Any, seen: Any):
    found = masked(model, value)

    assert "Nguyễn" not in repr(found)
    assert "lan@" not in repr(found)
    if isinstance(seen, dict):
        assert found == {**found, **seen}
    else:
        assert found == seen


def test_the_answer_itself_is_left_as_it_was():
    value = LAN | {"contacts": [MAIL]}

    masked(Person, value)

    assert value == {"id": 1, "name": "Nguyễn Lan", "contacts": [{**MAIL}]}
    assert MAIL["email"] == "lan@x.vn"


def test_without_a_mark_there_is_nothing_to_do():
    plan = MaskPlan(TypeAdapter(list[Ticket]).json_schema())
    tickets = [{"id": 1, "title": "Áo"}]

    assert plan.is_empty
    assert plan.apply(tickets) is tickets


class Customer(BaseModel):
    income_band: Annotated[str | None, pii("sensitive")] = None
    attributes: Annotated[dict[str, Any], pii("attributes")]


class Entry(BaseModel):
    changes: Annotated[dict[str, Any], pii("document")]


MARKS: FieldMarks = {"allergy": "sensitive", "salary": "personal", "levels": "personal"}
OWN = {
    "allergy": "phấn hoa",
    "salary": 30,
    "levels": ["a", "b"],
    "work_email": "lan@x.vn",
    "size": 9,
}
OWN_MASKED = {"salary": "***", "levels": "***", "work_email": "l***@x.vn", "size": 9}


def masked_with(model: Any, value: Any, marks: FieldMarks | None) -> Any:
    return MaskPlan(TypeAdapter(model).json_schema(mode="serialization")).apply(value, marks)


@pytest.mark.parametrize(
    ("marks", "seen"),
    [
        (MARKS, OWN_MASKED),
        ({}, OWN | {"work_email": "l***@x.vn"}),
        # Nobody knows what the shop has marked.
        (None, {}),
    ],
)
def test_fields_of_the_shops_own_are_masked_by_its_marks(marks: FieldMarks | None, seen: Any):
    assert masked_with(Customer, {"attributes": OWN}, marks)["attributes"] == seen
    change = {"changes": {"attributes": {"old": OWN, "new": None}}}
    told = masked_with(Entry, change, marks)["changes"]["attributes"]
    assert told == {"old": seen, "new": None}


def test_fields_named_old_and_new_are_fields():
    marks: FieldMarks = {"new": "sensitive"}
    entry = {"changes": {"attributes": {"old": "a", "new": "b"}}}
    assert masked_with(Entry, entry, marks)["changes"]["attributes"] == {"old": "a"}


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("attributes.allergy", {"old": None, "new": None}),
        ("attributes.salary", {"old": "***", "new": "***"}),
        ("attributes.size", {"old": 1, "new": 2}),
        ("allergy", {"old": 1, "new": 2}),
    ],
)
def test_a_change_of_one_field_is_masked_by_its_mark(name: str, seen: Any):
    entry = {"changes": {name: {"old": 1, "new": 2}}}
    assert masked_with(Entry, entry, MARKS)["changes"] == {name: seen}


def test_sensitive_fields_are_named_where_something_is_in_them():
    plan = MaskPlan(TypeAdapter(list[Customer]).json_schema(mode="serialization"))
    plain = {"income_band": None, "attributes": {"salary": 3, "size": 9}}
    assert plan.sensitive_in([plain], MARKS) == set()
    assert plan.sensitive_in([plain, {"attributes": OWN}], MARKS) == {"attributes.allergy"}
    assert plan.sensitive_in([{"income_band": "x", "attributes": {}}], MARKS) == {"income_band"}
