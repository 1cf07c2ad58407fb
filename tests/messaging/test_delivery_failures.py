"""What happens when a message cannot be handed over: retried, given up, or honestly unknown."""

import asyncio
import os
import signal
import sys
import threading
from collections import Counter
from pathlib import Path

import httpx
import pytest

from services.messaging.channels.records import INSTALLATION_CHANNEL, EmailChannel
from services.messaging.delivery.mail import OutgoingMail
from services.messaging.delivery.service import LEASE
from services.messaging.delivery.smtp import (
    CONNECTIONS_PER_CHANNEL,
    SmtpConnections,
    batch_of,
)
from services.messaging.wiring import Wiring
from services.messaging.worker import build_delivery
from shared.contracts.gateway import EmailChannelChanged
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.outbound.guard import AllowList, OutboundGuard
from shared.security.keys import SecretBox
from shared.settings import login_role
from tests.messaging.world import World
from tests.support.connections import drop_connections
from tests.support.outbound import LOOPBACK, LOOPBACK_ALLOWED
from tests.support.smtp import SmtpSink

ROOT = Path(__file__).parents[2]


async def only_message(shop: World) -> dict:
    (message,) = await shop.messages()
    return message


async def test_while_the_server_refuses_connections_messages_wait_and_use_up_no_attempt(open_shop):
    with SmtpSink() as sink:
        shop = await open_shop(sink)
        duc = await shop.customer()
        await shop.enters(duc)
        sink.stop()
        for _ in range(4):
            await shop.sends()
            shop.clock.advance(minutes=10)
        waiting = await only_message(shop)
        assert (waiting["status"], waiting["reason"]) == ("planned", "PROVIDER_UNREACHABLE")
        assert waiting["attempts"] == 0

        sink.start()
        await shop.sends()
        assert len(sink.to(duc.email)) == 1
        sent = await only_message(shop)
        assert (sent["status"], sent["attempts"], sent["reason"]) == ("sent", 1, None)


async def test_a_sender_that_is_told_to_end_finishes_its_sentences_and_hands_back_the_rest(
    open_shop, service
):
    begun, may_go_on = threading.Event(), threading.Event()

    def pause() -> None:
        begun.set()
        may_go_on.wait(10)

    connections = SmtpConnections(LOOPBACK_ALLOWED)
    ending = build_delivery(service.context, connections, Wiring.of(service.context))
    with SmtpSink() as sink:
        shop = await open_shop(sink)
        customers = [shop.new_customer() for _ in range(20)]
        await shop.knows(*customers)
        await shop.enters(*customers)
        sink.behaviour.before_accepting = pause
        sending = asyncio.create_task(ending.send_due(shop.tenant))
        await asyncio.to_thread(begun.wait, 10)
        connections.hurry()
        may_go_on.set()
        assert not await sending

        told = Counter(message["status"] for message in await shop.messages())
        assert told["sent"] == len(sink.messages) <= CONNECTIONS_PER_CHANNEL
        assert told == {"sent": told["sent"], "planned": 20 - told["sent"]}
        assert {m["attempts"] for m in await shop.messages(status="planned")} == {0}
        assert not await ending.send_due(shop.tenant)
        assert told["sent"] == len(sink.messages)

        await shop.sends()
        assert len(sink.messages) == 20
    await connections.close()


async def test_a_sender_that_is_broken_off_knows_which_messages_nobody_has_seen(
    shop: World, smtp: SmtpSink
):
    begun, may_go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def pause() -> None:
        loop.call_soon_threadsafe(begun.set)
        may_go_on.wait(2)

    customers = [shop.new_customer() for _ in range(20)]
    await shop.knows(*customers)
    await shop.enters(*customers)
    smtp.behaviour.before_accepting = pause
    sending = asyncio.create_task(shop.sends())
    await begun.wait()
    sending.cancel()
    await asyncio.wait([sending])
    smtp.behaviour.before_accepting = None
    may_go_on.set()

    told = Counter((m["status"], m["reason"]) for m in await shop.messages())
    handed_over = told.pop(("unknown", "OUTCOME_UNKNOWN")) + told.pop(("sent", None), 0)
    assert handed_over <= CONNECTIONS_PER_CHANNEL
    assert told == {("planned", None): 20 - handed_over}
    assert {m["attempts"] for m in await shop.messages(status="planned")} == {0}

    await shop.sends()
    got = Counter(len(smtp.to(customer.email)) for customer in customers)
    assert got.keys() <= {0, 1}
    assert got[0] <= handed_over


async def test_an_unreachable_server_is_not_asked_again_for_every_message(open_shop):
    with SmtpSink() as sink:
        shop = await open_shop(sink)
        customers = [shop.new_customer() for _ in range(30)]
        await shop.knows(*customers)
        await shop.enters(*customers)
        sink.stop()
        await shop.sends()

        messages = await shop.messages()
        assert {(m["status"], m["reason"]) for m in messages} == {
            ("planned", "PROVIDER_UNREACHABLE")
        }


async def test_a_server_that_stays_away_is_given_up_after_a_day(open_shop):
    with SmtpSink() as sink:
        shop = await open_shop(sink)
        await shop.enters(await shop.customer())
        sink.stop()
        for _ in range(40):
            await shop.sends()
            shop.clock.advance(hours=1)

        message = await only_message(shop)
        assert (message["status"], message["reason"]) == ("failed", "PROVIDER_UNREACHABLE")
        (told,) = await shop.told("messaging.message_failed")
        assert told["message"]["status"] == "failed"


async def test_a_temporary_refusal_is_tried_again_a_few_times(shop: World, smtp: SmtpSink):
    duc = await shop.customer()
    smtp.behaviour.refuse_recipient[duc.email] = "451 4.7.1 Greylisted, come back later"
    await shop.enters(duc)
    await shop.sends()
    waiting = await only_message(shop)
    assert (waiting["status"], waiting["reason"]) == ("planned", "TEMPORARILY_REFUSED")
    assert waiting["attempts"] == 1
    assert waiting["detail"] == "451 4.7.1 Greylisted, come back later"

    await shop.sends()
    assert (await only_message(shop))["attempts"] == 1  # not before its time

    del smtp.behaviour.refuse_recipient[duc.email]
    shop.clock.advance(minutes=1)
    await shop.sends()
    assert len(smtp.to(duc.email)) == 1
    assert (await only_message(shop))["attempts"] == 2


async def test_after_five_temporary_refusals_a_message_has_failed(shop: World, smtp: SmtpSink):
    duc = await shop.customer()
    smtp.behaviour.refuse_content[duc.email] = "452 4.3.1 Insufficient system storage"
    await shop.enters(duc)
    for _ in range(8):
        await shop.sends()
        shop.clock.advance(hours=1)

    message = await only_message(shop)
    assert (message["status"], message["reason"]) == ("failed", "TEMPORARILY_REFUSED")
    assert message["attempts"] == 5


async def test_an_address_that_does_not_exist_is_never_written_to_again(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    duc = await shop.customer()
    smtp.behaviour.refuse_recipient[duc.email] = "550 5.1.1 No such user here"
    await shop.enters(duc)
    await shop.sends()

    message = await only_message(shop)
    assert (message["status"], message["reason"]) == ("failed", "RECIPIENT_REFUSED")
    (found,) = (await client.get("/v1/suppressions")).json()["data"]
    assert (found["address"], found["scope"]) == (duc.email, "all")
    assert (found["reason"], found["message_id"]) == ("invalid_address", message["id"])

    del smtp.behaviour.refuse_recipient[duc.email]
    body = {
        "template": "ticket_reply",
        "to": {"email": duc.email.upper()},
        "variables": {"ticket": {"code": "T-1", "subject": "x"}, "reply": {"body": "x"}},
    }
    second = (await client.post("/v1/messages", json=body)).json()
    await shop.sends()
    after = (await client.get(f"/v1/messages/{second['id']}")).json()
    assert (after["status"], after["reason"]) == ("suppressed", "SUPPRESSED_ADDRESS")


async def test_what_a_provider_repeats_is_hidden_from_those_who_may_not_see_it(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    duc = await shop.customer()
    refusal = f"550 5.1.1 <{duc.email}>: nobody here"
    smtp.behaviour.refuse_recipient[duc.email] = refusal
    template = {"contents": [{"locale": "vi", "subject": "Chào {{ customer.name }}", "text": "x"}]}
    await client.put("/v1/templates/hello", json=template)
    to = {"customer_id": str(duc.customer_id)}
    await client.post("/v1/messages", json={"template": "hello", "to": to})
    await shop.sends()

    shown = await only_message(shop)
    assert (shown["detail"], shown["subject"]) == (refusal, "Chào Nguyễn Văn Đức")
    async with shop.service.client(shop.tenant, "messages:read", sees_pii=False) as blind:
        one = (await blind.get(f"/v1/messages/{shown['id']}")).json()
        (listed,) = (await blind.get("/v1/messages")).json()["data"]
    for masked in (one, listed):
        assert (masked["detail"], masked["subject"]) == ("***", "***")
        assert masked["reason"] == "RECIPIENT_REFUSED"


async def test_a_refusal_by_policy_does_not_condemn_the_address(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    duc = await shop.customer()
    smtp.behaviour.refuse_recipient[duc.email] = "550 5.7.1 Blocked by policy"
    await shop.enters(duc)
    await shop.sends()

    assert (await only_message(shop))["reason"] == "RECIPIENT_REFUSED"
    assert (await client.get("/v1/suppressions")).json()["data"] == []


async def test_one_refused_message_does_not_disturb_the_others(shop: World, smtp: SmtpSink):
    customers = [shop.new_customer() for _ in range(12)]
    await shop.knows(*customers)
    for customer in customers[::3]:
        smtp.behaviour.refuse_recipient[customer.email] = "550 5.1.1 gone"
    await shop.enters(*customers)
    await shop.sends()

    by_customer = {m["customer_id"]: m["status"] for m in await shop.messages()}
    expected = {
        str(c.customer_id): "failed" if number % 3 == 0 else "sent"
        for number, c in enumerate(customers)
    }
    assert by_customer == expected


async def test_a_connection_that_breaks_before_the_answer_leaves_the_outcome_unknown(
    shop: World, smtp: SmtpSink
):
    duc = await shop.customer()
    smtp.behaviour.hang_up_on.add(duc.email)
    await shop.enters(duc)
    await shop.sends()
    assert (await only_message(shop))["status"] == "unknown"

    shop.clock.advance(days=2)
    await shop.delivery.expire_leases(shop.tenant)
    await shop.sends()
    assert len(smtp.to(duc.email)) == 1  # the server had taken it; nobody sent it again
    (told,) = await shop.told("messaging.message_failed")
    assert (told["message"]["status"], told["message"]["reason"]) == ("unknown", "OUTCOME_UNKNOWN")


async def test_a_shop_without_a_channel_fails_with_that_reason(open_shop):
    shop = await open_shop()
    await shop.enters(await shop.customer())
    await shop.sends()

    message = await only_message(shop)
    assert (message["status"], message["reason"]) == ("failed", "NO_CHANNEL")


async def test_the_channel_logs_in_with_its_sealed_credentials(open_shop, root_key: str):
    with SmtpSink(login=("shop", "mật khẩu")) as sink:
        shop = await open_shop()
        sealed = SecretBox(root_key).seal({"username": "shop", "password": "mật khẩu"})
        channel = sink.channel(sealed_credentials=sealed)
        await shop.hears("gateway", (channel.connection_id, EmailChannelChanged(channel=channel)))
        duc = await shop.customer()
        await shop.enters(duc)
        await shop.sends()
        assert len(sink.to(duc.email)) == 1


async def test_a_refused_login_delays_messages_until_the_password_is_mended(
    open_shop, root_key: str
):
    with SmtpSink(login=("shop", "right")) as sink:
        shop = await open_shop()
        box = SecretBox(root_key)
        wrong = box.seal({"username": "shop", "password": "wrong"})
        channel = sink.channel(sealed_credentials=wrong)
        await shop.hears("gateway", (channel.connection_id, EmailChannelChanged(channel=channel)))
        duc = await shop.customer()
        await shop.enters(duc)
        await shop.sends()
        waiting = await only_message(shop)
        assert (waiting["status"], waiting["reason"]) == ("planned", "PROVIDER_LOGIN_REFUSED")
        assert waiting["attempts"] == 0

        right = box.seal({"username": "shop", "password": "right"})
        mended = channel.model_copy(update={"sealed_credentials": right, "version": 2})
        await shop.hears("gateway", (channel.connection_id, EmailChannelChanged(channel=mended)))
        shop.clock.advance(minutes=1)
        await shop.sends()
        assert len(sink.to(duc.email)) == 1


async def test_credentials_sealed_with_another_key_delay_messages(open_shop, smtp: SmtpSink):
    shop = await open_shop()
    foreign = SecretBox("another root key, of another installation").seal({"username": "x"})
    channel = smtp.channel(sealed_credentials=foreign)
    await shop.hears("gateway", (channel.connection_id, EmailChannelChanged(channel=channel)))
    await shop.enters(await shop.customer())
    await shop.sends()
    assert (await only_message(shop))["status"] == "planned"


async def test_a_channel_that_was_switched_off_is_not_used(open_shop, smtp: SmtpSink):
    shop = await open_shop()
    channel = smtp.channel(version=3)
    off = channel.model_copy(update={"active": False, "version": 4})
    for state in (channel, off, channel):  # the old state again, late
        await shop.hears("gateway", (channel.connection_id, EmailChannelChanged(channel=state)))
    await shop.enters(await shop.customer())
    await shop.sends()
    assert (await only_message(shop))["reason"] == "NO_CHANNEL"


async def test_connections_are_kept_for_the_next_messages(open_shop):
    with SmtpSink() as sink:
        shop = await open_shop(sink)
        for _ in range(6):
            await shop.enters(await shop.customer())
            await shop.sends()
        assert len(sink.messages) == 6
        assert len(sink.sessions) == 1


async def test_a_server_that_restarted_in_between_costs_nothing(open_shop):
    with SmtpSink() as sink:
        shop = await open_shop(sink)
        await shop.enters(await shop.customer())
        await shop.sends()
        sink.stop()
        sink.start()
        duc = await shop.customer()
        await shop.enters(duc)
        await shop.sends()
        assert len(sink.to(duc.email)) == 1


_SENDER = """
import asyncio, sys
from uuid import UUID
from services.messaging.delivery.smtp import SmtpConnections
from services.messaging.settings import MessagingSettings
from services.messaging.wiring import Wiring
from services.messaging.worker import build_delivery
from shared.ids import TenantId
from shared.part.context import build_context

async def main():
    settings = MessagingSettings(_env_file=None)
    context = build_context(settings)
    delivery = build_delivery(context, SmtpConnections(settings.outbound_guard), Wiring.of(context))
    await delivery.send_due(TenantId(UUID(sys.argv[1])))

asyncio.run(main())
"""


@pytest.mark.fault
async def test_a_sender_killed_between_the_server_and_the_commit_leaves_unknown_and_never_doubles(
    open_shop, database_url: str, redis_url: str, root_key: str
):
    with SmtpSink() as sink:
        shop = await open_shop(sink)
        duc = await shop.customer()
        await shop.enters(duc)
        sender = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _SENDER, shop.tenant.hex),
            cwd=ROOT,
            env={
                **os.environ,
                "DATABASE_URL": database_url,
                "REDIS_URL": redis_url,
                "CARELOOP_SECRET_KEY": root_key,
                "CARELOOP_OUTBOUND_ALLOW": LOOPBACK,
                "PYTHONPATH": str(ROOT),
            },
        )
        sink.behaviour.before_accepting = sender.kill
        await sink.received(1, to=duc.email)
        assert await sender.wait() == -signal.SIGKILL
        sink.behaviour.before_accepting = None
        assert (await only_message(shop))["status"] == "sending"

        await shop.delivery.expire_leases(shop.tenant)
        await shop.sends()
        assert (await only_message(shop))["status"] == "sending"  # the lease still holds

        shop.clock.advance(seconds=LEASE.total_seconds() + 1)
        await shop.delivery.expire_leases(shop.tenant)
        await shop.sends()
        message = await only_message(shop)
        assert (message["status"], message["reason"]) == ("unknown", "LEASE_EXPIRED")
        assert len(sink.to(duc.email)) == 1
        (told,) = await shop.told("messaging.message_failed")
        assert told["message"]["status"] == "unknown"


async def test_a_slow_sender_may_still_tell_what_became_of_a_message_whose_lease_ran_out(
    shop: World, smtp: SmtpSink
):
    duc = await shop.customer()
    await shop.enters(duc)
    taken = await shop.delivery._take(shop.tenant)
    shop.clock.advance(seconds=LEASE.total_seconds() + 1)
    await shop.delivery.expire_leases(shop.tenant)
    assert (await only_message(shop))["status"] == "unknown"

    await shop.delivery._send(shop.tenant, taken)
    assert (await only_message(shop))["status"] == "sent"
    versions = [e["message"]["version"] for e in await shop.told()]
    assert versions == sorted(set(versions))


@pytest.mark.fault
async def test_a_database_that_drops_its_connections_meanwhile_does_not_make_a_sent_mail_unknown(
    shop: World, smtp: SmtpSink, database_url: str
):
    duc = await shop.customer()
    await shop.enters(duc)
    loop = asyncio.get_running_loop()

    def drop() -> None:
        dropping = drop_connections(database_url, login_role("messaging"))
        asyncio.run_coroutine_threadsafe(dropping, loop).result(10)

    smtp.behaviour.before_accepting = drop
    try:
        await shop.sends()
    finally:
        smtp.behaviour.before_accepting = None
    assert len(smtp.to(duc.email)) == 1
    assert (await only_message(shop))["status"] == "sent"


@pytest.mark.parametrize("is_written", [True, False])
async def test_messages_whose_taking_is_in_doubt_are_handed_back_at_once(
    shop: World, smtp: SmtpSink, monkeypatch: pytest.MonkeyPatch, is_written: bool
):
    """The sender is told to end, or loses the database, in the middle of its commit."""
    duc = await shop.customer()
    await shop.enters(duc)
    commit = UnitOfWork.commit

    async def commit_and_end(uow: UnitOfWork) -> None:
        monkeypatch.undo()
        if is_written:
            await commit(uow)
        raise asyncio.CancelledError

    monkeypatch.setattr(UnitOfWork, "commit", commit_and_end)
    with pytest.raises(asyncio.CancelledError):
        await shop.sends()
    waiting = await only_message(shop)
    assert (waiting["status"], waiting["attempts"]) == ("planned", 0)

    await shop.sends()
    assert (await only_message(shop))["status"] == "sent"
    assert len(smtp.to(duc.email)) == 1


async def test_one_message_that_nobody_can_prepare_does_not_stop_the_others(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    # A currency that no longer is one, in an order told of long ago.
    odd, fine = await shop.customer(), await shop.customer()
    await shop.orders(odd, currency="XXX")
    await shop.enters(odd, fine)
    await shop.sends()

    assert len(smtp.to(fine.email)) == 1
    message = await shop.message_to(odd)
    assert (message["status"], message["reason"]) == ("failed", "MESSAGE_NOT_COMPOSABLE")


async def test_a_shops_server_inside_the_network_is_not_connected_to(open_shop, service):
    """A shop names the host; what it names must not be ours (the operator's own server may be)."""
    strict = SmtpConnections(OutboundGuard(AllowList()))
    delivery = build_delivery(service.context, strict, Wiring.of(service.context))
    with SmtpSink() as sink:
        shop = await open_shop(sink)
        duc = await shop.customer()
        await shop.enters(duc)
        await delivery.send_due(shop.tenant)
        assert sink.sessions == set()
        waiting = await only_message(shop)
        assert (waiting["status"], waiting["reason"]) == ("planned", "PROVIDER_NOT_ALLOWED")
        assert waiting["attempts"] == 0
        own = EmailChannel(
            connection_id=INSTALLATION_CHANNEL,
            version=1,
            host=sink.host,
            port=sink.port,
            security="none",
            sender_name="Careloop",
            sender_address="care@example.com",
        )
        mail = OutgoingMail(
            message_id=new_id(),
            sender=own.sender_address,
            recipient=duc.email,
            content=b"Subject: x\r\n\r\nx\r\n",
        )
        batch = batch_of(own, [mail])
        await strict.send(batch, seconds=5)
        assert batch.outcomes[mail.message_id].kind == "sent"
    await strict.close()
