"""The page on which a link is opened: no script, no other resource, nothing kept by browsers."""

import base64
import hashlib
from typing import Final, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from gateway.access.password_policy import MAX_LENGTH, MIN_LENGTH
from shared.languages import Language

Fault = Literal["short", "long", "different", "weak"]

_TEXTS: Final[dict[Language, dict[str, str]]] = {
    "vi": {
        "title": "Chọn mật khẩu",
        "account": "Tài khoản",
        "password": "Mật khẩu mới",
        "hint": "Ít nhất {least} ký tự. Một câu bạn dễ nhớ là tốt nhất.",
        "again": "Nhập lại mật khẩu mới",
        "save": "Lưu mật khẩu",
        "other": "English",
        "short": "Mật khẩu cần ít nhất {least} ký tự.",
        "long": "Mật khẩu có nhiều nhất {most} ký tự.",
        "different": "Hai mật khẩu không giống nhau.",
        "weak": "Mật khẩu này dễ đoán. Hãy chọn mật khẩu khác.",
        "done": "Mật khẩu đã được lưu",
        "done_more": "Bạn có thể đăng nhập bằng mật khẩu mới.",
        "not_valid": "Liên kết không còn dùng được",
        "not_valid_more": "Liên kết đã được dùng hoặc đã hết hạn. Hãy yêu cầu liên kết mới.",
    },
    "en": {
        "title": "Choose a password",
        "account": "Account",
        "password": "New password",
        "hint": "At least {least} characters. A sentence that you remember is best.",
        "again": "New password once more",
        "save": "Save password",
        "other": "Tiếng Việt",
        "short": "The password needs at least {least} characters.",
        "long": "The password has at most {most} characters.",
        "different": "The two passwords are not the same.",
        "weak": "This password would be guessed. Choose another.",
        "done": "The password is saved",
        "done_more": "You can log in with it now.",
        "not_valid": "This link does not work any more",
        "not_valid_more": "It was used, or it is too old. Ask for a new one.",
    },
}
_templates = Environment(
    loader=PackageLoader("gateway.password_resets"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# Our own file, and the hash below vouches for it to the browser.
_CSS: Final = Markup(_templates.get_template("page.css").render())  # noqa: S704
_CSS_HASH: Final = base64.b64encode(hashlib.sha256(_CSS.encode()).digest()).decode()
_HEADERS: Final = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_CSS_HASH}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
}


def fault_of(password: str, again: str) -> Fault | None:
    """What is wrong with what was typed, before anybody asks how good it is."""
    if len(password) < MIN_LENGTH:
        return "short"
    if len(password) > MAX_LENGTH:
        return "long"
    return "different" if password != again else None


def form_page(language: Language, email: str, *, fault: Fault | None = None) -> HTMLResponse:
    """The form; with a fault it says what was wrong."""
    said = _words(language)[fault] if fault else None
    return _page("form.html", language, status=422 if fault else 200, email=email, fault=said)


def done_page(language: Language) -> HTMLResponse:
    """The password was taken."""
    return _message(language, "done", status=200)


def not_valid_page(language: Language) -> HTMLResponse:
    """The link leads nowhere."""
    return _message(language, "not_valid", status=404)


def _message(language: Language, key: str, *, status: int) -> HTMLResponse:
    words = _words(language)
    return _page(
        "message.html", language, status=status, heading=words[key], more=words[f"{key}_more"]
    )


def _words(language: Language) -> dict[str, str]:
    bounds = {"least": MIN_LENGTH, "most": MAX_LENGTH}
    return {key: text.format(**bounds) for key, text in _TEXTS[language].items()}


def _page(template: str, language: Language, *, status: int, **values: object) -> HTMLResponse:
    html = _templates.get_template(template).render(
        language=language,
        other_language="en" if language == "vi" else "vi",
        least=MIN_LENGTH,
        most=MAX_LENGTH,
        texts=_words(language),
        css=_CSS,
        **values,
    )
    return HTMLResponse(html, status_code=status, headers=_HEADERS)
