"""What care and advertising must carry, also when a template's author forgot it."""

import pytest

from services.messaging.templates.records import Rendered, Template, TemplateContent
from services.messaging.templates.rendering import with_obligations

URL = "https://care.example.com/pages/unsubscribe/a&b"


def words(locale: str = "vi", **parts: str | None) -> Rendered:
    given = {"subject": "Ưu đãi Tết", "text": "Xin chào", "html": "<body><p>Xin chào</p></body>"}
    return Rendered(locale=locale, **{**given, **parts})


def test_advertising_says_so_first_and_carries_a_way_out_in_both_parts():
    result = with_obligations(words(), message_class="advertising", unsubscribe_url=URL)
    assert result.subject == "[QC] Ưu đãi Tết"
    assert result.text.endswith(f"Hủy đăng ký tại: {URL}\n")
    assert result.html.endswith("</p></body>")
    assert 'href="https://care.example.com/pages/unsubscribe/a&amp;b"' in result.html


def test_in_english_the_label_and_the_way_out_are_english():
    result = with_obligations(words("en-GB"), message_class="advertising", unsubscribe_url=URL)
    assert result.subject.startswith("[AD] ")
    assert "Unsubscribe at:" in result.text


def test_what_the_author_wrote_is_not_written_twice():
    own = words(
        subject="[QC] Có sẵn",
        text=f"Thôi: {URL}",
        html=f'<a href="{URL}">x</a>'.replace("&", "&amp;"),
    )
    assert with_obligations(own, message_class="advertising", unsubscribe_url=URL) == own


def test_care_needs_a_way_out_but_no_label():
    result = with_obligations(words(), message_class="care", unsubscribe_url=URL)
    assert result.subject == "Ưu đãi Tết"
    assert URL in result.text


def test_an_answer_to_a_request_is_left_alone():
    assert with_obligations(words(), message_class="transactional", unsubscribe_url=URL) == words()


def template(*locales: str) -> Template:
    contents = tuple(TemplateContent(locale=each, subject=each, text=each) for each in locales)
    return Template("x", 1, None, contents, None, None)


@pytest.mark.parametrize(
    ("offered", "wishes", "chosen"),
    [
        (("vi", "en"), ("en", "vi"), "en"),
        (("vi", "en"), ("en-GB", "vi"), "en"),
        (("vi", "en", "en-GB"), ("en_gb",), "en-GB"),
        (("vi", "en"), (None, "en"), "en"),
        (("vi", "en"), ("ko", None), "vi"),
        (("en",), ("ko",), "en"),
        (("ko",), ("fr",), "ko"),
    ],
)
def test_the_language_is_the_first_wish_that_can_be_met(
    offered: tuple[str, ...], wishes: tuple[str | None, ...], chosen: str
):
    assert template(*offered).content_for("email", wishes).locale == chosen
