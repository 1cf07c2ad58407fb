"""The care loop's thank-you: a customer enters a segment, a real e-mail arrives."""

import re

import pytest

from tests.messaging.conftest import PUBLIC_URL
from tests.messaging.world import World
from tests.support.smtp import SmtpSink, part


async def test_a_new_customer_is_thanked_in_vietnamese(shop: World, smtp: SmtpSink):
    duc = await shop.customer()
    await shop.orders(duc)
    await shop.enters(duc)
    await shop.sends()

    (mail,) = smtp.to(duc.email)
    assert mail["Subject"] == "Cửa hàng Hoa Mai cảm ơn Nguyễn Văn Đức đã mua hàng"
    assert mail["From"].addresses[0].display_name == "Cửa hàng Hoa Mai"
    assert mail["From"].addresses[0].addr_spec == "cskh@hoamai.example.com"
    assert mail["To"].addresses[0].display_name == "Nguyễn Văn Đức"
    assert mail.get_content_type() == "multipart/alternative"
    assert "Chào Nguyễn Văn Đức" in part(mail, "plain")
    assert "#1001" in part(mail, "plain")
    assert "1.250.000" in part(mail, "plain")
    assert "<strong>#1001</strong>" in part(mail, "html")
    assert "text/html" in {p.get_content_type() for p in mail.iter_parts()}
