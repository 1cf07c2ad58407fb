"""What an operator sees of a running installation: traces, metrics, and no secrets."""

import secrets
from collections.abc import Iterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from cli.demo.narration import Script, Step
from cli.demo.payloads import Shopper, shopify_order_created
from cli.demo.story import CareLoop
from cli.mail_catcher import caught
from cli.ports import LOOPBACK, free_port
from tests.support.house import House, running_house
from tests.support.otlp import OtlpReceiver, otlp_receiver
from tests.support.waiting import eventually

PARTS = {"gateway", "customer", "segmentation", "messaging"}
STATUS_PORT = free_port()


@pytest.fixture(scope="module")
def receiver() -> Iterator[OtlpReceiver]:
    with otlp_receiver() as running:
        yield running


@pytest.fixture(scope="module")
def house(
    receiver: OtlpReceiver,
    database_url: str,
    redis_url: str,
    root_key: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    with running_house(
        "all_in_one",
        database_url=database_url,
        redis_url=redis_url,
        root_key=root_key,
        folder=tmp_path_factory.mktemp("observed"),
        more={
            "CARELOOP_OTLP_ENDPOINT": receiver.endpoint,
            "CARELOOP_STATUS_PORT": str(STATUS_PORT),
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        },
    ) as running:
        yield running


class Quiet:
    def tell(self, step: Step) -> None:
        assert step.error is None


async def deliver(story: CareLoop, http: httpx.AsyncClient, number: int) -> tuple[str, Shopper]:
    """An order of somebody new, sent by a platform that traces; the trace's id."""
    connection, trace_id = story.shop.connection("shopify"), secrets.token_hex(16)
    token = secrets.token_hex(4)
    shopper = Shopper(email=f"nga.{token}@example.com", shopify_id=number * 7919)
    delivery = shopify_order_created(shopper, connection.secret, order_id=number)
    answer = await http.post(
        f"/v1/hooks/shopify/{connection.id}",
        content=delivery.body,
        headers={**delivery.headers, "traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"},
    )
    assert answer.status_code == 200
    return trace_id, shopper


async def test_one_trace_follows_one_order_from_the_webhook_to_the_mail(
    house: House, receiver: OtlpReceiver
):
    async with httpx.AsyncClient(base_url=house.base_url, timeout=30) as http:
        story = CareLoop(
            http,
            operator_key=house.operator_key,
            mailbox=lambda: caught(house.mail.folder),
            script=Script(Quiet()),
        )
        await story.open_the_shop()
        # Two at a time: they share batches, and yet each has its own trace.
        orders = [await deliver(story, http, number) for number in (10_001, 10_002)]

    async def names(trace_id: str) -> list[str]:
        return [span.name for span in receiver.of(trace_id)]

    for trace_id, _shopper in orders:
        await eventually(
            lambda trace_id=trace_id: names(trace_id),
            lambda found: "send e-mail" in found and "apply messaging.message_sent" in found,
            seconds=30,
        )
        spans = receiver.of(trace_id)
        assert {span.service for span in spans} >= {f"careloop-{part}" for part in PARTS}
        found = {(span.service.removeprefix("careloop-"), span.name) for span in spans}
        assert found >= {
            ("gateway", "POST /v1/hooks/{platform}/{connection_id}"),
            ("gateway", "read shopify"),
            ("customer", "apply gateway.platform_order_received"),
            ("messaging", "send e-mail"),
        }
        assert any(part == "segmentation" and "customer." in name for part, name in found)
        assert any(part == "messaging" and "segmentation." in name for part, name in found)
        assert [span.name for span in spans].count("send e-mail") == 1
        # Every span hangs on another one of the trace, but for the first, which the platform began.
        known = {span.span_id for span in spans}
        assert [span.name for span in spans if span.parent_id not in known] == [
            "POST /v1/hooks/{platform}/{connection_id}"
        ]
    told = repr(receiver.spans)
    assert not [shopper.email for _, shopper in orders if shopper.email in told]
    assert story.shop.api_key not in told
    assert story.shop.owner_password not in told


async def test_metrics_are_told_by_both_processes(house: House):
    async with httpx.AsyncClient(timeout=30) as http:
        api = await http.get(f"{house.base_url}/metrics")
        worker = await http.get(f"http://{LOOPBACK}:{STATUS_PORT}/metrics")
        alive = await http.get(f"http://{LOOPBACK}:{STATUS_PORT}/healthz")
    assert alive.json() == {"status": "ok"}
    routes = {
        sample.labels["route"]
        for family in text_string_to_metric_families(api.text)
        if family.name == "careloop_http_requests"
        for sample in family.samples
    }
    assert {"/v1/tenants", "/v1/queues", "/v1/automations"} <= routes
    assert all("{" in route or len(route) < 40 for route in routes)
    told = {family.name for family in text_string_to_metric_families(worker.text)}
    assert {"careloop_events_applied", "careloop_messages_settled"} <= told
