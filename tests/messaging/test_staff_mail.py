"""What the gateway writes to a shop's own staff."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from services.messaging.channels.records import INSTALLATION_CHANNEL, EmailChannel
from services.messaging.delivery.service import Delivery
from services.messaging.delivery.smtp import SmtpConnections
from services.messaging.preferences.digests import AddressDigests
from services.messaging.wiring import Wiring
from shared.contracts.gateway import StaffMailRequested
from shared.ids import new_id
from shared.security.keys import SecretBox
from tests.messaging.world import World
from tests.support.outbound import LOOPBACK_ALLOWED
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


async def test_a_mail_to_staff_is_sent_once_by_the_shops_channel_where_there_is_no_other(
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


@dataclass
class Installation:
    """The operator's own mail server, and a sender that knows it."""

    sink: SmtpSink
    delivery: Delivery


@pytest.fixture
async def installation(service) -> AsyncIterator[Installation]:
    connections, wiring = SmtpConnections(LOOPBACK_ALLOWED), Wiring.of(service.context)
    with SmtpSink() as sink:
        channel = EmailChannel(
            connection_id=INSTALLATION_CHANNEL,
            version=1,
            host=sink.host,
            port=sink.port,
            security="none",
            sender_name="Careloop",
            sender_address="care@example.com",
        )
        yield Installation(
            sink,
            Delivery(
                units=service.context.units,
                connections=connections,
                links=wiring.links,
                secrets=wiring.secrets,
                digests=AddressDigests(service.context.settings.root_key),
                installation_channel=channel,
            ),
        )
        await connections.close()


class TestWithAnInstallationsChannel:
    async def test_who_connects_the_shops_channel_does_not_get_the_mail_to_staff(
        self, shop: World, smtp: SmtpSink, installation: Installation, root_key: str
    ) -> None:
        address = f"owner.{new_id().hex}@example.com"
        duc = await shop.customer()
        await shop.hears("gateway", (new_id(), requested(root_key, address)))
        await shop.enters(duc)
        await installation.delivery.send_due(shop.tenant)

        (to_staff,) = installation.sink.to(address)
        assert to_staff["From"] == "Careloop <care@example.com>"
        assert smtp.to(address) == []
        assert len(smtp.to(duc.email)) == 1
        assert installation.sink.to(duc.email) == []
        assert {m["status"] for m in await shop.messages()} == {"sent"}

    async def test_a_shop_without_a_channel_writes_to_everybody_through_it(
        self, open_shop, installation: Installation, root_key: str
    ) -> None:
        shop = await open_shop()
        address = f"lan.{new_id().hex}@example.com"
        duc = await shop.customer()
        await shop.hears("gateway", (new_id(), requested(root_key, address)))
        await shop.enters(duc)
        await installation.delivery.send_due(shop.tenant)
        assert len(installation.sink.to(address)) == 1
        assert len(installation.sink.to(duc.email)) == 1

    async def test_a_shops_server_that_is_gone_does_not_hold_up_the_mail_to_staff(
        self, open_shop, installation: Installation, root_key: str
    ) -> None:
        with SmtpSink() as gone:
            shop = await open_shop(gone)
        address = f"lan.{new_id().hex}@example.com"
        duc = await shop.customer()
        await shop.hears("gateway", (new_id(), requested(root_key, address)))
        await shop.enters(duc)
        await installation.delivery.send_due(shop.tenant)

        assert len(installation.sink.to(address)) == 1
        waiting = await shop.message_to(duc)
        assert (waiting["status"], waiting["reason"]) == ("planned", "PROVIDER_UNREACHABLE")
        assert waiting["attempts"] == 0

    async def test_a_sender_that_is_cancelled_hands_back_what_neither_channel_has_taken(
        self, open_shop, installation: Installation, root_key: str
    ) -> None:
        with SmtpSink() as sink, paused(sink) as shops, paused(installation.sink) as own:
            shop = await open_shop(sink)
            customers = [shop.new_customer() for _ in range(10)]
            await shop.knows(*customers)
            await shop.enters(*customers)
            mails = [requested(root_key, f"{new_id().hex}@example.com") for _ in range(10)]
            await shop.hears("gateway", *((new_id(), mail) for mail in mails))
            sending = asyncio.create_task(installation.delivery.send_due(shop.tenant))
            for begun in (shops, own):
                assert await asyncio.to_thread(begun.wait, 10)
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending

        told = await shop.messages()
        assert {message["status"] for message in told} == {"planned", "unknown"}
        handed_back = [m["origin"] for m in told if m["status"] == "planned"]
        assert {origin: handed_back.count(origin) for origin in set(handed_back)} == {
            "staff": 6,
            "automation": 6,
        }


@contextmanager
def paused(sink: SmtpSink) -> Iterator[threading.Event]:
    """A server that has been given contents and does not answer; tells when it was given four."""
    given, may_go_on, begun = iter(range(4)), threading.Event(), threading.Event()

    def pause() -> None:
        if next(given, 3) == 3:
            begun.set()
        may_go_on.wait(10)

    sink.behaviour.before_accepting = pause
    yield begun
    may_go_on.set()
    sink.behaviour.before_accepting = None
