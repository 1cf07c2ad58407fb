"""What the survey page says, in each language."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.languages import Language


@dataclass(frozen=True, slots=True)
class PageTexts:
    """The texts of one language. `request` has places for the ticket's code and subject."""

    title: str
    request: str
    question: str
    scores: tuple[str, str, str, str, str]
    comment: str
    comment_hint: str
    send: str
    other_language: str
    choose: str
    too_long: str
    thanks: str
    thanks_more: str
    already: str
    already_more: str
    not_valid: str
    not_valid_more: str


TEXTS: Final[Mapping[Language, PageTexts]] = {
    "vi": PageTexts(
        title="Đánh giá hỗ trợ",
        request="Yêu cầu {code}: {subject}",
        question="Bạn hài lòng đến mức nào với cách chúng tôi xử lý yêu cầu này?",
        scores=("Rất không hài lòng", "Không hài lòng", "Bình thường", "Hài lòng", "Rất hài lòng"),
        comment="Bạn muốn nói thêm điều gì?",
        comment_hint="Không bắt buộc, tối đa 2000 ký tự",
        send="Gửi đánh giá",
        other_language="English",
        choose="Vui lòng chọn một mức đánh giá.",
        too_long="Phần góp ý dài quá 2000 ký tự.",
        thanks="Cảm ơn bạn!",
        thanks_more="Chúng tôi đã ghi nhận đánh giá của bạn.",
        already="Bạn đã đánh giá rồi",
        already_more="Đánh giá đầu tiên của bạn được giữ nguyên. Cảm ơn bạn!",
        not_valid="Liên kết không hợp lệ",
        not_valid_more="Hãy mở lại liên kết từ thư chúng tôi đã gửi cho bạn.",
    ),
    "en": PageTexts(
        title="Rate our support",
        request="Request {code}: {subject}",
        question="How happy are you with the way we handled this request?",
        scores=("Very unhappy", "Unhappy", "Neutral", "Happy", "Very happy"),
        comment="Is there anything you would like to add?",
        comment_hint="Optional, 2000 characters at most",
        send="Send rating",
        other_language="Tiếng Việt",
        choose="Please choose a rating.",
        too_long="The comment is longer than 2000 characters.",
        thanks="Thank you!",
        thanks_more="We have received your rating.",
        already="You have already answered",
        already_more="Your first rating stays as it is. Thank you!",
        not_valid="This link is not valid",
        not_valid_more="Please open the link from our message to you again.",
    ),
}
