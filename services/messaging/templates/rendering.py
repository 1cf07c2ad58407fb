"""From a template to a message's words, with what the law adds to them."""

import html as html_text
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from services.messaging.policies.records import MessageClass
from services.messaging.templates.engine import render
from services.messaging.templates.errors import RenderError
from services.messaging.templates.records import Rendered, TemplateContent
from shared.text import tidy

MAX_SUBJECT: Final = 300
_OPT_OUT: Final = {
    "vi": "Không muốn nhận thư này nữa? Hủy đăng ký tại:",
    "en": "Do not want these messages any more? Unsubscribe at:",
}
# Decree 91/2020 Art. 15: advertising says at its very start that it is advertising.
_LABELS: Final = {"vi": "[QC]", "en": "[AD]"}


def render_content(content: TemplateContent, variables: Mapping[str, Any]) -> Rendered:
    """The words of `content` for these variables. Raises RenderError.

    A subject is one line, whatever the variables hold.
    """
    subject = tidy(render(content.subject, variables, html=False), max_length=MAX_SUBJECT)
    if subject is None:
        raise RenderError("the subject is empty")
    return Rendered(
        locale=content.locale,
        subject=subject,
        text=render(content.text, variables, html=False),
        html=None if content.html is None else render(content.html, variables, html=True),
    )


def with_obligations(
    rendered: Rendered, *, message_class: MessageClass, unsubscribe_url: str
) -> Rendered:
    """Add what care and advertising must carry and the template's author may have left out.

    That is a visible way out (Decree 91/2020 Art. 16) and, for advertising, the label.
    """
    if message_class == "transactional":
        return rendered
    language = "vi" if rendered.locale.lower().startswith("vi") else "en"
    if message_class == "advertising" and not rendered.subject.startswith(tuple(_LABELS.values())):
        rendered = replace(rendered, subject=f"{_LABELS[language]} {rendered.subject}")
    if unsubscribe_url not in rendered.text:
        footer = f"\n\n--\n{_OPT_OUT[language]} {unsubscribe_url}\n"
        rendered = replace(rendered, text=rendered.text.rstrip() + footer)
    if rendered.html is not None and html_text.escape(unsubscribe_url) not in rendered.html:
        rendered = replace(
            rendered, html=_with_footer(rendered.html, _OPT_OUT[language], unsubscribe_url)
        )
    return rendered


def _with_footer(document: str, words: str, url: str) -> str:
    address = html_text.escape(url)
    footer = f'<p style="font-size:12px">{words} <a href="{address}">{address}</a></p>'
    before, closing, after = document.rpartition("</body>")
    return f"{before}{footer}{closing}{after}" if closing else document + footer
