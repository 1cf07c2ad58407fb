"""What an entry says to a person, in their language. The type of an entry never changes."""

from collections.abc import Mapping
from typing import Any, Final

from shared.languages import Language
from shared.pii import mask

_TITLES: Mapping[str, tuple[str, str]] = {
    "customer.created": ("Khách hàng mới, từ {source}", "New customer, from {source}"),
    "customer.changed": ("Hồ sơ được cập nhật", "Profile changed"),
    "customer.converted": ("Trở thành khách hàng", "Became a customer"),
    "customer.assigned": ("Được giao cho nhân viên", "Given to a member of staff"),
    "customer.merged": ("Được gộp với {count} hồ sơ", "Merged with {count} records"),
    "customer.unmerged": ("Gộp hồ sơ được hoàn tác", "A merge was undone"),
    "customer.recognised": ("Được nhận ra trên {source}", "Recognised on {source}"),
    "customer.imported": ("Nhập từ tệp {file_name}", "Imported from {file_name}"),
    "customer.import_undone": ("Đã hoàn tác lần nhập tệp", "Import taken back"),
    "customer.deleted_at_source": ("Đã bị xoá trên {source}", "Deleted on {source}"),
    "order.placed": ("Đặt đơn hàng {number}", "Placed order {number}"),
    "order.paid": ("Đơn hàng {number} đã thanh toán", "Order {number} was paid"),
    "order.completed": ("Đơn hàng {number} hoàn tất", "Order {number} was completed"),
    "order.cancelled": ("Đơn hàng {number} bị huỷ", "Order {number} was cancelled"),
    "order.refunded": ("Đơn hàng {number} được hoàn tiền", "Order {number} was refunded"),
    "order.fulfilled": ("Đơn hàng {number} đã gửi đi", "Order {number} was sent"),
    "order.delivered": ("Đơn hàng {number} đã giao", "Order {number} was delivered"),
    "order.return_requested": (
        "Yêu cầu trả hàng, đơn {number}",
        "Asked to return goods of order {number}",
    ),
    "order.returned": ("Đã trả hàng, đơn {number}", "Goods of order {number} came back"),
    "order.return_refused": (
        "Từ chối trả hàng, đơn {number}",
        "The return for order {number} was refused",
    ),
    "order.deleted": ("Đơn hàng {number} bị xoá", "Order {number} was deleted"),
    "consent.granted": ("Đồng ý nhận tin qua {channel}", "Agreed to messages by {channel}"),
    "consent.withdrawn": ("Ngừng nhận tin qua {channel}", "Said stop to messages by {channel}"),
    "segment.entered": ("Vào nhóm {segment}", "Entered the segment {segment}"),
    "segment.left": ("Rời nhóm {segment}", "Left the segment {segment}"),
    "ticket.created": ("Yêu cầu {code}: {subject}", "Ticket {code}: {subject}"),
    "ticket.replied": ("Đã trả lời yêu cầu {code}", "Ticket {code} was answered"),
    "ticket.resolved": ("Yêu cầu {code} đã được giải quyết", "Ticket {code} was resolved"),
    "survey.answered": (
        "Đánh giá {score}/{scale_max} cho yêu cầu {code}",
        "Rated ticket {code} {score} of {scale_max}",
    ),
    "message.sent": ("Đã gửi tin: {subject}", "Message sent: {subject}"),
    "message.suppressed": ("Không gửi tin ({reason})", "Message not sent ({reason})"),
    "message.failed": ("Gửi tin thất bại ({reason})", "Message failed ({reason})"),
    "message.received": ("Khách viết qua {channel}: {subject}", "Wrote by {channel}: {subject}"),
    "lead.captured": ("Để lại thông tin qua {form}", "Left their details by {form}"),
    "task.created": ("Việc cần làm: {title}", "Task: {title}"),
    "task.done": ("Đã làm xong: {title}", "Task done: {title}"),
    "task.cancelled": ("Đã bỏ việc: {title}", "Task cancelled: {title}"),
    "loyalty.redeemed": ("Đã đổi {points} điểm: {note}", "Redeemed {points} points: {note}"),
    "loyalty.restored": ("Đã hoàn {points} điểm: {note}", "{points} points given back: {note}"),
    "loyalty.adjusted": ("Điều chỉnh {points} điểm: {note}", "Points adjusted by {points}: {note}"),
    "loyalty.tier_raised": ("Lên hạng {to}", "Rose to {to}"),
    "loyalty.tier_lowered": ("Xuống hạng {to}", "Fell to {to}"),
    "interaction.call": ("Cuộc gọi ({outcome})", "Call ({outcome})"),
    "interaction.chat": ("Trò chuyện qua {channel}", "Chat by {channel}"),
    "interaction.message": ("Tin nhắn qua {channel}", "Message by {channel}"),
    "interaction.visit": ("Khách ghé thăm ({outcome})", "Visit ({outcome})"),
    "interaction.email": ("Thư điện tử ({outcome})", "E-mail ({outcome})"),
    "interaction.meeting": ("Cuộc gặp ({outcome})", "Meeting ({outcome})"),
    "interaction.other": ("Tương tác qua {channel}", "Contact by {channel}"),
    "appointment.planned": ("Đặt lịch hẹn: {title}", "Appointment made: {title}"),
    "appointment.moved": ("Dời lịch hẹn: {title}", "Appointment moved: {title}"),
    "appointment.kept": ("Đã gặp: {title}", "Appointment kept: {title}"),
    "appointment.missed": ("Lỡ hẹn: {title}", "Appointment missed: {title}"),
    "appointment.cancelled": ("Huỷ lịch hẹn: {title}", "Appointment cancelled: {title}"),
    "review.written": ("Đánh giá {rating}/5 sao", "Rated {rating} of 5 stars"),
    "note.added": ("Thêm ghi chú", "Note added"),
    "note.removed": ("Xoá ghi chú", "Note removed"),
}


# What somebody has written themselves; anything of a person may be in it.
_FREE_WORDS: Final = frozenset({"subject", "title", "note", "comment"})


class _Words(dict[str, Any]):
    """The words of an entry; what is missing or empty reads as a dash."""

    def __getitem__(self, name: str) -> Any:
        value = self.get(name)
        return "–" if value is None or value == "" else value


def types_of_kind(kind: str) -> list[str]:
    """The types of entries that begin with this word: `order.placed` is one of `order`."""
    return [type_ for type_ in _TITLES if type_.startswith(f"{kind}.")]


def title(kind: str, data: Mapping[str, Any], language: Language) -> str:
    """One line about an entry of type `kind`."""
    texts = _TITLES.get(kind)
    if texts is None:
        return kind
    return texts[0 if language == "vi" else 1].format_map(_Words(data))


def without_free_words(data: Mapping[str, Any]) -> dict[str, Any]:
    """The words of an entry for who may not see personal data: what people wrote is hidden."""
    return {
        name: mask("words", value) if name in _FREE_WORDS else value for name, value in data.items()
    }
