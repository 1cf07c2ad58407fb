"""The service as a whole: its document, its worker, its figures."""

from services.support_ticket.worker import build_worker
from tests.support_ticket.shop import Shop


async def test_the_care_loop_counts_reconcile_with_what_was_done(shop: Shop) -> None:
    customer = await shop.knows()
    requester = {"customer_id": str(customer)}
    done, waiting, _ = [await shop.ticket(requester=requester) for _ in range(3)]
    path = f"/v1/tickets/{done['id']}"
    await shop.post(f"{path}/replies", {"text": "Dạ"}, 201)
    await shop.post(f"{path}/replies", {"text": "Xong"}, 201)
    await shop.post(f"{path}/notes", {"text": "Ghi chú"}, 201)
    await shop.resolve(done["id"])
    await shop.post(f"{path}/transitions", {"to": "open"}, 200)
    await shop.resolve(done["id"])
    await shop.post(
        f"/v1/tickets/{waiting['id']}/replies", {"text": "?", "status": "pending_customer"}, 201
    )
    await shop.hears(shop.message("Ấm", channel="zalo", sender_phone="0912345678"))
    assert await shop.get("/v1/care-loop-counts") == {
        "tickets": 4,
        "tickets_new": 2,
        "tickets_open": 0,
        "tickets_pending_customer": 1,
        "tickets_on_hold": 0,
        "tickets_resolved": 1,
        "tickets_closed": 0,
        "reopened": 1,
        "replies": 3,
        "notes": 1,
        "inbound_messages": 1,
        "surveys_invited": 2,
        "surveys_answered": 0,
    }


async def test_counts_of_an_empty_shop_are_zero(shop: Shop) -> None:
    assert set((await shop.get("/v1/care-loop-counts")).values()) == {0}


async def test_every_operation_is_named_described_and_scoped(shop: Shop) -> None:
    document = shop.service.app.openapi()
    operations = [
        operation
        for path, methods in document["paths"].items()
        for operation in methods.values()
        if not path.startswith("/v1/jobs")
    ]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names)) >= 25
    for operation in operations:
        assert operation["description"], operation["operationId"]
        assert operation["x-required-scopes"], operation["operationId"]
    open_to_shoppers = {o["operationId"] for o in operations if "x-shopper-scopes" in o}
    assert open_to_shoppers == {
        "tickets.create",
        "tickets.list",
        "tickets.get",
        "tickets.reply",
        "tickets.listMessages",
    }


async def test_the_worker_has_a_handler_for_everything_it_subscribed_to(shop: Shop) -> None:
    worker = build_worker(shop.service.context.settings)
    assert worker.part == "support_ticket"
    for close in worker.close:
        await close()
