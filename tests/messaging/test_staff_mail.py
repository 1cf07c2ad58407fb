"""What the gateway writes to a shop's own staff."""

from sqlalchemy import text

from shared.contracts.gateway import StaffMailRequested
from shared.ids import new_id
from shared.security.keys import SecretBox
from tests.messaging.world import World
from tests.support.smtp import SmtpSink, part

LINK = "https://care.example.com/pages/passwords/a-token-that-opens-a-door"


def requested(root_key: str, address: str) -> StaffMailRequested:
    words = f"Chào Lan,\n\n{LINK}\n{{{{ shop.name }}}}\n"
    return StaffMailRequested(
        mail_id=new_id(),
        kind="password_reset",
        recipient_name="Trần Thị Lan",
        recipient_email=address,
        locale="vi",
        subject="Đặt lại mật khẩu",
        sealed=SecretBox(root_key).seal({"text": words}),
    )


async def test_a_mail_to_staff_is_sent_once_by_the_shops_channel(
    shop: World, smtp: SmtpSink, root_key: str
) -> None:
    address = f"lan.{new_id().hex}@example.com"
    mail = requested(root_key, address)
    await shop.hears("gateway", (new_id(), mail), (new_id(), mail))
    await shop.sends()

    (sent,) = smtp.to(address)
    assert sent["Subject"] == "Đặt lại mật khẩu"
    assert sent["Auto-Submitted"] == "auto-generated"
    assert sent["List-Unsubscribe"] is None
    assert LINK in part(sent, "plain")
    # It is a text, not a template: what somebody called themselves is not run.
    assert "{{ shop.name }}" in part(sent, "plain")
    async with shop.client() as client:
        (listed,) = (await client.get("/v1/messages?origin=staff")).json()["data"]
    assert (listed["status"], listed["origin_id"]) == ("sent", str(mail.mail_id))


async def test_the_link_lies_in_no_table(shop: World, root_key: str) -> None:
    mail = requested(root_key, "lan@example.com")
    await shop.hears("gateway", (new_id(), mail))
    await shop.sends()
    async with shop.service.context.units.begin(shop.tenant) as uow:
        rows = await uow.rows(
            text("SELECT to_jsonb(m)::text FROM messaging.message m WHERE tenant_id = :t"),
            {"t": shop.tenant},
        )
    assert len(rows) == 1
    assert LINK not in rows[0][0]
