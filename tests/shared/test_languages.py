"""Which of our languages somebody reads."""

import pytest

from shared.languages import language_of, preferred_language


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, None),
        ("", None),
        ("vi-VN,vi;q=0.9,en;q=0.8", "vi"),
        ("en;q=0.4, vi;q=0.7", "vi"),
        ("fr-CH, fr;q=0.9, en;q=0.8, *;q=0.5", "en"),
        ("vi;q=0, en;q=0.1", "en"),
        ("vi;q=x, en;q=0.1", "en"),
        ("EN_us", "en"),
        ("en,vi", "en"),
        ("de,fr", None),
        (",".join(["de"] * 20 + ["vi"]), None),
    ],
)
def test_the_one_liked_best(header: str | None, language: str | None):
    assert preferred_language(header) == language


@pytest.mark.parametrize(
    ("locale", "language"),
    [("vi-VN", "vi"), ("en_US", "en"), ("vi", "vi"), ("fr", None), ("", None), (None, None)],
)
def test_the_language_of_a_locale(locale: str | None, language: str | None):
    assert language_of(locale) == language
