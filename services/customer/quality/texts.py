"""How problems are mended, for people."""

from collections.abc import Mapping
from typing import Final

from services.customer.quality.rules import Problem
from shared.languages import Language

HOW_TO_MEND: Final[Mapping[Problem, Mapping[Language, str]]] = {
    "no_contact": {
        "vi": "Xin số điện thoại hoặc e-mail vào lần liên hệ tới.",
        "en": "Ask for a phone number or an e-mail address next time.",
    },
    "unverified_contact": {
        "vi": "Xác nhận số điện thoại hoặc e-mail với khách.",
        "en": "Have the customer confirm the number or the address.",
    },
    "missing_name": {"vi": "Hỏi tên khách.", "en": "Ask for the name."},
    "incomplete_name": {
        "vi": "Bổ sung họ và tên đệm.",
        "en": "Add the family name.",
    },
    "name_is_a_phone_number": {
        "vi": "Chuyển số sang ô điện thoại và ghi tên thật.",
        "en": "Move the number to the phone field and write the name.",
    },
    "name_is_an_email": {
        "vi": "Chuyển địa chỉ sang ô e-mail và ghi tên thật.",
        "en": "Move the address to the e-mail field and write the name.",
    },
    "placeholder_name": {
        "vi": "Thay tên tạm bằng tên thật của khách.",
        "en": "Replace the placeholder with the customer's name.",
    },
    "missing_phone": {"vi": "Xin số điện thoại.", "en": "Ask for a phone number."},
    "placeholder_phone": {
        "vi": "Số này không có thật: xin lại số.",
        "en": "Nobody has this number: ask for the right one.",
    },
    "phone_not_mobile": {
        "vi": "Xin thêm số di động để gửi SMS và Zalo.",
        "en": "Ask for a mobile number, for SMS and Zalo.",
    },
    "missing_email": {"vi": "Xin địa chỉ e-mail.", "en": "Ask for an e-mail address."},
    "placeholder_email": {
        "vi": "E-mail chỉ điền cho có: xin địa chỉ thật.",
        "en": "The address stands for having none: ask for a real one.",
    },
    "invalid_email": {
        "vi": "Địa chỉ e-mail sai: hỏi lại khách.",
        "en": "The address cannot be written to: ask again.",
    },
    "mistyped_email": {
        "vi": "Tên miền e-mail gõ nhầm: sửa lại.",
        "en": "The domain is mistyped: correct it.",
    },
    "disposable_email": {
        "vi": "E-mail dùng một lần: xin địa chỉ khác.",
        "en": "The address is a throw-away one: ask for another.",
    },
    "missing_birth_date": {"vi": "Hỏi ngày sinh.", "en": "Ask for the birthday."},
    "placeholder_birth_date": {
        "vi": "Ngày 1 tháng 1 thường do biểu mẫu tự điền: hỏi lại.",
        "en": "Forms fill in 1 January: ask for the day.",
    },
    "implausible_birth_date": {
        "vi": "Ngày sinh không hợp lý: kiểm tra năm.",
        "en": "The birthday cannot be right: check the year.",
    },
    "missing_address": {"vi": "Xin địa chỉ.", "en": "Ask for an address."},
    "address_not_resolved": {
        "vi": "Ghi rõ phường/xã và tỉnh/thành.",
        "en": "Write the ward and the province.",
    },
    "address_ward_uncertain": {
        "vi": "Phường cũ đã chia: hỏi phường mới.",
        "en": "The old ward was split up: ask for the one of now.",
    },
    "consent_unknown": {
        "vi": "Hỏi khách có đồng ý nhận tin không và ghi lại.",
        "en": "Ask whether and how they want to hear from you, and record it.",
    },
    "out_of_date": {
        "vi": "Đã hơn hai năm: liên hệ để cập nhật.",
        "en": "Nothing was heard for two years: get in touch.",
    },
}
