"""Rules that go with a law, as a shop can take them over, and what laws forbid to shorten.

Neither law gives a number of months for most of this: they want data gone once their purpose is.
The periods are a careful shop's; those that a law does give name it.

- `vn_pdpl`: Law 91/2025/QH15 with Decree 356/2025/ND-CP. What a withdrawal leaves without a purpose
  is gone within the 20 days of a deletion; 36 months is the limitation of civil claims (Civil Code
  2015, Art. 429).
- `eu_gdpr`: Regulation (EU) 2016/679, Art. 5(1)(e); a month after a withdrawal (Art. 12(3)).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.customer.privacy.laws import LawName
from services.customer.retention.catalogue import (
    CONSENT_WITHDRAWN,
    LAST_ACTIVITY,
    LAST_ORDER,
    RECORD,
    RECORDED,
)
from services.customer.retention.periods import Period
from services.customer.retention.terms import Action, AppliesTo

ACCOUNTS: Final[Mapping[LawName, Period]] = {"vn_pdpl": "P10Y", "eu_gdpr": "P10Y"}
"""How long documents of accounts have to be kept.

Vietnam: Law 88/2015/QH13, Art. 41, with Decree 174/2016/ND-CP. In Europe it is for the states to
say; this is the longest of them.
"""


@dataclass(frozen=True, slots=True)
class PresetRule:
    """One rule of a collection."""

    name: str
    data: tuple[str, ...]
    clock: str
    period: Period
    action: Action = "empty"
    applies_to: AppliesTo = "everybody"


_PROFILING: Final = (
    *("gender", "birth_date", "birth_date_lunar", "occupation", "position", "income_band"),
    *("preferences", "tags"),
)
_SAID: Final = ("interactions", "notes", "tasks", "appointments")

PRESETS: Final[Mapping[LawName, Sequence[PresetRule]]] = {
    "vn_pdpl": (
        PresetRule(
            "Khách tiềm năng không mua", (RECORD,), LAST_ACTIVITY, "P24M", "anonymise", "leads"
        ),
        PresetRule("Hành vi truy cập (dữ liệu nhạy cảm)", ("touches",), RECORDED, "P12M"),
        PresetRule("Phiếu đăng ký đã gửi", ("lead_submissions",), RECORDED, "P24M"),
        PresetRule("Đã rút lại mọi đồng ý", _PROFILING, CONSENT_WITHDRAWN, "P20D"),
        PresetRule("Nội dung chăm sóc", _SAID, LAST_ACTIVITY, "P36M"),
        PresetRule("Thông tin nhận hàng", ("orders", "addresses"), LAST_ORDER, "P10Y"),
        PresetRule("Khách hàng cũ", (RECORD,), LAST_ACTIVITY, "P10Y", "anonymise", "customers"),
    ),
    "eu_gdpr": (
        PresetRule(
            "Leads who never bought", (RECORD,), LAST_ACTIVITY, "P12M", "anonymise", "leads"
        ),
        PresetRule("Browsing behaviour", ("touches",), RECORDED, "P13M"),
        PresetRule("Forms that were sent", ("lead_submissions",), RECORDED, "P12M"),
        PresetRule("All consent withdrawn", _PROFILING, CONSENT_WITHDRAWN, "P1M"),
        PresetRule("Words of care", _SAID, LAST_ACTIVITY, "P36M"),
        PresetRule("Where orders went", ("orders", "addresses"), LAST_ORDER, "P10Y"),
        PresetRule("Former customers", (RECORD,), LAST_ACTIVITY, "P10Y", "anonymise", "customers"),
    ),
}
"""The collections by the law they go with."""
