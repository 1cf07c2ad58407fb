"""What is written to members of staff, in Vietnamese and English."""

from dataclasses import dataclass
from typing import Final, Literal

from shared.languages import Language

Kind = Literal["reset", "invitation"]


@dataclass(frozen=True, slots=True)
class Letter:
    """Subject and text of a mail."""

    subject: str
    text: str


_TEXTS: Final[dict[tuple[Kind, Language], Letter]] = {
    ("reset", "vi"): Letter(
        "Đặt lại mật khẩu của bạn tại {shop}",
        """\
Chào {name},

Có người vừa yêu cầu đặt lại mật khẩu cho tài khoản {email} của bạn tại {shop}.
Hãy mở liên kết dưới đây để chọn mật khẩu mới. Liên kết dùng được một lần, trong {hours} giờ:

{url}

Nếu đó không phải là bạn, hãy bỏ qua thư này: mật khẩu của bạn không thay đổi.
""",
    ),
    ("reset", "en"): Letter(
        "Choose a new password for {shop}",
        """\
Hello {name},

Somebody asked for a new password for your account {email} at {shop}.
Open this link to choose one. It works once, for {hours} hour(s):

{url}

If it was not you, ignore this mail: your password stays as it is.
""",
    ),
    ("invitation", "vi"): Letter(
        "{shop} mời bạn cùng làm việc",
        """\
Chào {name},

{shop} đã tạo cho bạn một tài khoản với địa chỉ {email}.
Hãy mở liên kết dưới đây để chọn mật khẩu. Liên kết dùng được một lần, trong {hours} giờ:

{url}
""",
    ),
    ("invitation", "en"): Letter(
        "{shop} invites you to work with them",
        """\
Hello {name},

{shop} has made an account for you, with the address {email}.
Open this link to choose your password. It works once, for {hours} hour(s):

{url}
""",
    ),
}


def write(
    kind: Kind, locale: Language, *, shop: str, name: str, email: str, url: str, hours: int
) -> Letter:
    """The letter of a kind in a language."""
    words = _TEXTS[kind, locale]
    values = {"shop": shop, "name": name, "email": email, "url": url, "hours": hours}
    return Letter(words.subject.format(**values), words.text.format(**values))
