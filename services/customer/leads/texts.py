"""What the pages of forms say, in each language."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.languages import Language


@dataclass(frozen=True, slots=True)
class PageTexts:
    """The texts of one language; labels and faults by the name or code that they are for."""

    other_language: str
    optional: str
    needed: str
    intent: str
    intents: Mapping[str, str]
    labels: Mapping[str, str]
    genders: Mapping[str, str]
    choose: str
    yes: str
    leave_empty: str
    send: str
    faults_heading: str
    faults: Mapping[str, str]
    stale: str
    thanks: str
    check_mail: str
    closed: str
    closed_more: str
    not_valid: str
    not_valid_more: str
    confirm: str
    confirm_more: str
    confirm_button: str
    confirmed: str
    confirmed_more: str


TEXTS: Final[Mapping[Language, PageTexts]] = {
    "vi": PageTexts(
        other_language="English",
        optional="không bắt buộc",
        needed="bắt buộc",
        intent="Bạn mong muốn điều gì?",
        intents={
            "wants_meeting": "Tôi muốn được hẹn gặp hoặc gọi tư vấn",
            "wants_information": "Tôi muốn biết thêm thông tin",
            "follows_brand": "Tôi chỉ muốn theo dõi tin của cửa hàng",
        },
        labels={
            "name": "Họ và tên",
            "email": "Email",
            "phone": "Số điện thoại",
            "birth_date": "Ngày sinh",
            "gender": "Giới tính",
            "city": "Thành phố, quận huyện",
            "province": "Tỉnh, thành",
            "message": "Lời nhắn",
        },
        genders={"female": "Nữ", "male": "Nam", "other": "Khác"},
        choose="Chọn…",
        yes="Có",
        leave_empty="Xin để trống ô này",
        send="Gửi",
        faults_heading="Chưa gửi được, vui lòng xem lại:",
        faults={
            "required": "Vui lòng điền mục này.",
            "contact": "Vui lòng cho biết email hoặc số điện thoại.",
            "email": "Địa chỉ email chưa đúng.",
            "phone": "Số điện thoại chưa đúng.",
            "date": "Ngày chưa đúng.",
            "number": "Vui lòng nhập một số.",
            "choice": "Vui lòng chọn một mục trong danh sách.",
            "too_long": "Nội dung quá dài.",
            "consent": "Cần có sự đồng ý này để gửi.",
        },
        stale="Trang đã mở quá lâu. Vui lòng kiểm tra và bấm gửi lại.",
        thanks="Cảm ơn bạn!",
        check_mail="Chúng tôi đã gửi email để bạn xác nhận. Hãy mở liên kết trong thư đó.",
        closed="Biểu mẫu đã đóng",
        closed_more="Hiện cửa hàng không nhận thông tin qua biểu mẫu này.",
        not_valid="Liên kết không hợp lệ",
        not_valid_more="Hãy kiểm tra lại địa chỉ, hoặc mở lại liên kết bạn đã nhận.",
        confirm="Xác nhận đồng ý",
        confirm_more="Bạn đã đồng ý những điều sau. Hãy bấm nút để xác nhận.",
        confirm_button="Tôi xác nhận",
        confirmed="Đã xác nhận. Cảm ơn bạn!",
        confirmed_more="Bạn có thể thay đổi ý kiến bất cứ lúc nào.",
    ),
    "en": PageTexts(
        other_language="Tiếng Việt",
        optional="optional",
        needed="required",
        intent="What would you like?",
        intents={
            "wants_meeting": "I would like to meet or be called",
            "wants_information": "I would like more information",
            "follows_brand": "I only want to follow the shop's news",
        },
        labels={
            "name": "Name",
            "email": "Email",
            "phone": "Phone",
            "birth_date": "Date of birth",
            "gender": "Gender",
            "city": "City, district",
            "province": "Province",
            "message": "Message",
        },
        genders={"female": "Female", "male": "Male", "other": "Other"},
        choose="Choose…",
        yes="Yes",
        leave_empty="Please leave this empty",
        send="Send",
        faults_heading="This could not be sent, please have another look:",
        faults={
            "required": "Please fill this in.",
            "contact": "Please give an email address or a phone number.",
            "email": "This is not an email address.",
            "phone": "This is not a phone number.",
            "date": "This is not a date.",
            "number": "Please enter a number.",
            "choice": "Please choose one of the list.",
            "too_long": "This is too long.",
            "consent": "This is needed to send the form.",
        },
        stale="The page was open for too long. Please check it and send it again.",
        thanks="Thank you!",
        check_mail="We have sent you an email. Please open the link in it to confirm.",
        closed="This form is closed",
        closed_more="The shop takes nothing by this form at the moment.",
        not_valid="This link is not valid",
        not_valid_more="Please check the address, or open the link that you got again.",
        confirm="Confirm what you agreed to",
        confirm_more="You have agreed to the following. Please press the button to confirm.",
        confirm_button="I confirm",
        confirmed="Confirmed. Thank you!",
        confirmed_more="You can change your mind at any time.",
    ),
}
