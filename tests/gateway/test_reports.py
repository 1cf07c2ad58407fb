"""The care loop in numbers, from all parts."""

import socket
from typing import Any

from fastapi import FastAPI

from gateway.app import create_app
from gateway.reports.reconciliation import all_hold, reconcile
from gateway.settings import GatewaySettings
from gateway.upstreams.upstream import HttpUpstream, InProcessUpstream
from tests.gateway.conftest import Shop, client_of, make_shop
from tests.gateway.echo import create_echo
from tests.gateway.test_hooks import ORDER, connect


def by_name(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {equation["name"]: equation for equation in report["reconciliation"]}


async def test_the_parts_counts_are_held_against_each_other(
    gateway_settings: GatewaySettings,
) -> None:
    customer = create_echo("customer", gateway_settings.root_key)
    customer.state.counts = {"orders_from_platforms": 2, "customers": 7}
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = HttpUpstream(f"http://127.0.0.1:{unused.getsockname()[1]}")
    upstreams = {"customer": InProcessUpstream(customer), "segmentation": nobody}
    app = create_app(gateway_settings, upstreams)
    async with app.router.lifespan_context(app):
        shop = await make_shop(app)
        sender = await connect(shop, "shopify")
        for order_id in (1, 2, 2):
            await sender.send({**ORDER, "id": order_id}, "orders/updated")
        await sender.send({"id": 3}, "orders/delete")
        await sender.send(b"nonsense", "orders/create")
        await sender.read()
        await sender.send({"id": 4}, "carts/update")
        async with await shop.client("reports:read") as analyst:
            answer = await analyst.get("/v1/reports/care-loop")
    assert answer.status_code == 200
    report = answer.json()
    own = report["counts"]["gateway"]
    assert (own["deliveries"], own["deliveries_processed"], own["deliveries_failed"]) == (6, 4, 1)
    assert (own["deliveries_pending"], own["orders_told"]) == (1, 2)
    assert report["counts"]["segmentation"] is None
    equations = by_name(report)
    assert equations["deliveries_accounted_for"]["ok"] is True
    kept = equations["platform_orders_kept"]
    assert (kept["left"], kept["right"], kept["ok"]) == (2, 2, True)
    gap = equations["customers_known_for_grouping"]
    assert (gap["left"], gap["right"], gap["ok"]) == (7, None, None)
    assert report["reconciled"] is None


def test_one_equation_that_fails_fails_all() -> None:
    equations = reconcile({"customer": {"orders": 3}, "segmentation": {"orders_known": 2}})
    assert all_hold(equations) is False


async def test_only_with_the_scope(gateway: FastAPI, shop: Shop) -> None:
    async with client_of(gateway, await shop.key("customers:read")) as client:
        assert (await client.get("/v1/reports/care-loop")).status_code == 403
