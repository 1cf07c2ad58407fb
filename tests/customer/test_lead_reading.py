"""The pure parts of leads: where a visit came from, what was entered, and whether it is odd."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.customer.lead_forms.record import LeadForm
from services.customer.leads.entered import Surroundings, read_entered
from services.customer.leads.form_tokens import OPEN_FOR_AT_MOST, FormTokens
from services.customer.leads.page_form import Sent
from services.customer.leads.suspicion import suspicions
from services.customer.touches.origins import origin_of
from shared.ids import TenantId, new_id
from tests.customer.leads import FORM

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
VIETNAM = Surroundings("VN", date(2026, 3, 1))
PAGE = "https://www.hoasen.example/ao-dai"


def a_form(**said: object) -> LeadForm:
    known = {
        **FORM,
        "intro": None,
        "intents": ["wants_information"],
        "default_intent": "wants_information",
        "allowed_origins": [],
        "redirect_url": None,
        "follow_up": None,
        "double_opt_in": False,
        "active": True,
        "id": new_id(),
        "created_at": NOW,
        "updated_at": NOW,
        "version": 1,
        **said,
    }
    fields = [{"required": False, **field} for field in known["fields"]]
    own = [{"required": False, "options": [], **field} for field in known["own_fields"]]
    return LeadForm(**{**known, "fields": fields, "own_fields": own})


@pytest.mark.parametrize(
    ("parameters", "referrer", "source"),
    [
        ({"utm_source": " Zalo "}, "https://google.com/", "zalo"),
        ({"fbclid": "x"}, "https://m.facebook.com/", "facebook"),
        ({"gclid": "x", "fbclid": "y"}, None, "google"),
        ({"utm_source": "", "ttclid": "x"}, None, "tiktok"),
        ({}, "https://www.vnexpress.net/kinh-doanh", "vnexpress.net"),
        ({}, "https://hoasen.example/khac", "direct"),
        ({}, "http://[bad", "direct"),
        ({}, None, "direct"),
    ],
)
def test_the_source_is_the_campaign_or_the_click_or_who_linked(parameters, referrer, source):
    assert origin_of(parameters, referrer=referrer, landing_page=PAGE).source == source


@given(
    st.dictionaries(st.sampled_from(["utm_source", "gclid", "utm_term", "x"]), st.text()),
    st.none() | st.text(),
    st.none() | st.text(),
)
def test_any_visit_has_a_source_and_fits(parameters, referrer, page):
    origin = origin_of(parameters, referrer=referrer, landing_page=page)
    assert 0 < len(origin.source) <= 100
    assert all(len(value) <= 500 for value in origin.click_ids.values())


@pytest.mark.parametrize(
    ("raw", "values", "faults"),
    [
        (
            {"name": "  Trần\tThị  Bình\x00", "phone": "0912 345 678"},
            {"name": "Trần Thị Bình", "phone": "0912 345 678"},
            {},
        ),
        ({"name": "An", "email": "an@b.vn", "shoe_size": "38,5"}, {"shoe_size": 38.5}, {}),
        ({"name": "An", "email": "an@b.vn", "shoe_size": 38}, {"shoe_size": 38}, {}),
        ({"name": "An", "email": "an@b.vn", "shoe_size": "nan"}, {}, {"shoe_size": "number"}),
        ({"name": "An", "email": "an@b.vn", "shoe_size": "1e999"}, {}, {"shoe_size": "number"}),
        ({"name": "x" * 201, "email": "an@b.vn"}, {}, {"name": "too_long"}),
        ({"email": "an@b.vn"}, {}, {"name": "required"}),
        ({"name": "An"}, {}, {"phone": "contact"}),
        ({"name": "An", "phone": "abc"}, {}, {"phone": "phone"}),
        ({"name": "An", "email": "a@b", "phone": "0912345678"}, {}, {"email": "email"}),
        ({"name": "An", "email": "an@b.vn", "branch": "x"}, {}, {"branch": "choice"}),
        ({"name": "An", "email": "an@b.vn", "x": "1"}, {}, {"x": "unknown_field"}),
    ],
)
def test_what_is_entered_is_read_as_its_fields_mean_it(raw, values, faults):
    read = read_entered(a_form(), raw, VIETNAM)
    assert read.faults == faults
    assert values.items() <= read.values.items()


def test_days_and_yeses_are_read():
    form = a_form(
        fields=[{"name": "email"}, {"name": "birth_date"}],
        own_fields=[
            {"key": "adult", "label": {"vi": "x"}, "type": "yes_no", "required": True},
            {"key": "visit", "label": {"vi": "x"}, "type": "date"},
        ],
    )
    entered = {"email": "an@b.vn", "birth_date": "1990-02-28", "adult": True, "visit": "2026-04-01"}
    read = read_entered(form, entered, VIETNAM)
    assert (read.faults, read.values) == ({}, entered)
    for name, value, fault in (
        ("birth_date", "2026-03-02", "date"),
        ("birth_date", "28/02/1990", "date"),
        ("visit", "0001-01-01", "date"),
        ("adult", False, "required"),
    ):
        assert read_entered(form, {**entered, name: value}, VIETNAM).faults == {name: fault}


@given(st.dictionaries(st.sampled_from(["name", "email", "phone", "shoe_size", "y"]), st.text()))
def test_nothing_that_is_entered_breaks_the_reading(raw):
    read = read_entered(a_form(), raw, VIETNAM)
    assert not read.values.keys() & read.faults.keys()


@given(st.binary(max_size=300))
def test_no_body_breaks_the_page(body):
    sent = Sent.read(body)
    assert sent.intent(a_form()) == "wants_information"
    assert all(each.text_version >= 0 for each in sent.ticked())


def oddities(**said: object) -> list[str]:
    plain = {"honeypot": "", "open_for": None, "from_address": 0, "same_contact": 0}
    return list(suspicions(said.pop("entered", {}), **{**plain, **said}))


def test_what_looks_as_if_no_person_had_sent_it_is_odd():
    assert oddities(entered={"message": "Xem www.a.vn và https://b.vn"}) == []
    assert oddities(entered={"message": "www.a.vn www.b.vn http://c.vn"}) == ["links"]
    assert oddities(entered={"name": "WWW.spam.vn"}) == ["links"]
    assert oddities(honeypot=" ") == []
    assert oddities(open_for=timedelta(seconds=3)) == []
    assert oddities(open_for=timedelta(seconds=2.9)) == ["too_fast"]
    assert oddities(from_address=19, same_contact=9) == []
    assert oddities(from_address=20) == oddities(same_contact=10) == ["too_many"]
    assert oddities(honeypot="x", from_address=20) == ["honeypot", "too_many"]


def test_a_token_is_of_one_form_of_one_shop_and_for_a_day(root_key):
    form, tokens = uuid4(), FormTokens(root_key=root_key, tenant_id=TenantId(new_id()))
    token = tokens.mint(form, NOW)
    assert tokens.age(token, form, NOW + timedelta(seconds=5)) == timedelta(seconds=5)
    assert tokens.age(token, form, NOW + OPEN_FOR_AT_MOST + timedelta(seconds=1)) is None
    assert tokens.age(token, uuid4(), NOW) is None
    other = FormTokens(root_key=root_key, tenant_id=TenantId(new_id()))
    assert other.age(token, form, NOW) is None
    assert tokens.age(f"B{token[1:]}", form, NOW) is None
    assert tokens.age("ü", form, NOW) is None
