"""Liquid within bounds: what it renders, and what it refuses to do."""

import contextlib
import time
from typing import Any

import pytest

from services.messaging.templates.engine import MAX_NODES, check_source, render
from services.messaging.templates.errors import RenderError, TemplateSyntax, VariableMissing


def text(source: str, **variables: Any) -> str:
    return render(source, variables, html=False)


def html(source: str, **variables: Any) -> str:
    return render(source, variables, html=True)


@pytest.mark.parametrize(
    ("source", "variables", "missing"),
    [
        ("{{ name }}", {}, "name"),
        ("{{ customer.name }}", {"customer": {}}, "customer.name"),
        ("{{ customer.name }}", {"customer": {"name": None}}, "customer.name"),
        ("{{ customer.name | upcase }}", {"customer": {}}, "customer.name"),
        ("{% for line in lines %}x{% endfor %}", {}, "lines"),
        ("{% if name == 'An' or other %}{{ other }}{% endif %}", {"name": "An"}, "other"),
    ],
)
def test_a_variable_that_is_missing_or_null_is_named(
    source: str, variables: dict[str, Any], missing: str
):
    with pytest.raises(VariableMissing) as caught:
        text(source, **variables)
    assert caught.value.name == missing


@pytest.mark.parametrize(
    ("source", "rendered"),
    [
        ('{{ customer.name | default: "bạn" }}', "bạn"),
        ("{% if customer.name %}a{% else %}b{% endif %}", "b"),
        ("{% unless customer.name %}b{% endunless %}", "b"),
        ("{% if customer.name == nil %}b{% endif %}", "b"),
        ("{% if customer.name and customer.age %}a{% endif %}b", "b"),
    ],
)
def test_a_template_can_say_that_it_does_without(source: str, rendered: str):
    assert text(source, customer={"name": None}) == rendered


def test_values_are_escaped_in_html_and_not_in_text():
    value = '<script>alert("x")</script> & co'
    assert html("<p>{{ v }}</p>", v=value) == (
        "<p>&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt; &amp; co</p>"
    )
    assert text("{{ v }}", v=value) == value


def test_line_ends_become_breaks_without_letting_markup_through():
    assert html("{{ v | newline_to_br }}", v="<b>\nx") == "&lt;b&gt;<br />\nx"


@pytest.mark.parametrize(
    "source", ["{{ v | safe }}", "{{ v | replace: 'a', '<' | safe }}", "{{ v | escapejs }}"]
)
def test_no_filter_turns_escaping_off(source: str):
    with pytest.raises(TemplateSyntax, match="unknown filter"):
        html(source, v="<b>")


@pytest.mark.parametrize(
    "source",
    [
        "{{ name",
        "{% if name %}",
        "{% endif %}",
        "{% unknown %}",
        "{{ name | unknown }}",
        "{% include 'other' %}",
        "{% render 'other' %}",
        "{% if a %}" * 40 + "{% endif %}" * 40,
        "{{ a }}" * (MAX_NODES + 1),
    ],
)
def test_what_can_never_be_rendered_is_refused_when_written(source: str):
    with pytest.raises(TemplateSyntax):
        check_source(source, html=False)


_DOUBLING = "{% for i in (1..400) %}{% assign s = s | append: s %}{% endfor %}"
_REPLACED = (
    "{% assign s = 'a' %}{% for i in (1..14) %}{% assign s = s | append: s %}{% endfor %}"
    "{{ s | replace: 'a', s }}"
)
_LONG = "{% for i in (1..400) %}0123456789{% endfor %}"


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in (1..1000000) %}x{% endfor %}",
        "{% for i in (1..400) %}{% for j in (1..400) %}x{% endfor %}{% endfor %}",
        "{{ (1..100000000) | join: ',' }}",
        "{{ (1..100000000) | sum }}",
        "{% assign s = 'aaaaaaaaaa' %}" + _DOUBLING,
        "{% assign n = 7 %}{% for i in (1..400) %}{% assign n = n | times: n %}{% endfor %}{{ n }}",
        _REPLACED,
        "{% capture s %}" + _LONG + "{% endcapture %}{% for i in (1..400) %}{{ s }}{% endfor %}",
        "{% tablerow i in (1..1000000) %}x{% endtablerow %}",
    ],
)
def test_no_template_takes_long_or_grows_without_bound(source: str):
    started = time.thread_time()
    with pytest.raises(RenderError):
        text(source, s="a")
    assert time.thread_time() - started < 2


def test_the_slowest_template_that_is_accepted_ends_in_about_a_second():
    # Nothing in it reads a variable or writes: only its size bounds it.
    source = "{% for i in (1..500) %}" + "{% if true %}{% endif %}" * 450 + "{% endfor %}"
    started = time.thread_time()
    text(source)
    assert time.thread_time() - started < 5


@pytest.mark.parametrize(
    "source",
    [
        "{{ 1 | divided_by: 0 }}",
        "{{ 'abc' | truncate: 'x' }}",
        "{{ v | times: v }}",
        "{{ 'x' | date: 5 }}",
        "{{ v | sort | join }}",
        "{{ v.first.first.first }}",
    ],
)
def test_a_mistake_in_a_template_is_an_error_of_the_template(source: str):
    with contextlib.suppress(RenderError):  # some may render; none may raise anything else
        text(source, v=[1, {"a": 2}, "x"])


def test_everything_that_the_house_style_of_templates_needs_works():
    source = (
        "{% for line in lines %}{{ forloop.index }}. {{ line.title | upcase }}"
        " x{{ line.quantity }}{% unless forloop.last %}, {% endunless %}{% endfor %}"
        " {{ day | date: '%d/%m/%Y' }} {{ 'đặng' | capitalize }} {{ 2 | plus: 3 }}"
    )
    lines = [{"title": "áo dài", "quantity": 2}, {"title": "nón lá", "quantity": 1}]
    assert text(source, lines=lines, day="2026-02-17") == (
        "1. ÁO DÀI x2, 2. NÓN LÁ x1 17/02/2026 Đặng 5"
    )
