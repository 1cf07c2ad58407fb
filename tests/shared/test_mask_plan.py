"""What callers without `pii:read` see of an answer, by the marks in its schema."""

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, TypeAdapter

from shared.pii import MaskPlan, pii


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
