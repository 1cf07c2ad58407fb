"""`careloop webhooks`: what an operator does about events that are sent to shops' endpoints."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

import typer

from cli.commands.shop_data import JsonOption, TenantOption, run_with_database, show_rows
from shared.ids import TenantId

webhooks = typer.Typer(help="Events sent to shops' endpoints.", no_args_is_help=True)

EndpointArgument = Annotated[UUID, typer.Argument(help="The endpoint's id")]
StatusOption = Annotated[
    Literal["pending", "succeeded", "failed", "cancelled"] | None,
    typer.Option("--status", help="Only these"),
]


@webhooks.command("list")
def list_endpoints(tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Show a shop's endpoints, what waits for each, and since when it fails."""
    from cli.webhook_operations import endpoints_of  # noqa: PLC0415

    rows = [
        {
            "id": str(endpoint.id),
            "url": endpoint.url,
            "events": ", ".join(endpoint.event_types),
            "enabled": endpoint.enabled,
            "reason": endpoint.disabled_reason or "",
            "pending": endpoint.pending,
            "failing_since": _when(endpoint.failing_since),
        }
        for endpoint in run_with_database(lambda: endpoints_of(TenantId(tenant)))
    ]
    show_rows(rows, as_json=as_json, nothing="The shop has no webhook endpoints.")


@webhooks.command("deliveries")
def list_deliveries(
    endpoint: EndpointArgument,
    tenant: TenantOption,
    status: StatusOption = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Show what was or is to be sent to an endpoint, the newest events first."""
    from cli.webhook_operations import deliveries_to  # noqa: PLC0415

    found = run_with_database(
        lambda: deliveries_to(TenantId(tenant), endpoint, status=status, limit=limit)
    )
    rows = [
        {
            "id": str(delivery.id),
            "position": delivery.position,
            "type": delivery.type,
            "status": delivery.status.value,
            "attempts": delivery.attempts,
            "last_error": delivery.last_error or "",
            "next_attempt_at": _when(delivery.next_attempt_at),
        }
        for delivery in found
    ]
    show_rows(rows, as_json=as_json, nothing="Nothing of the kind.")


@webhooks.command("replay")
def replay(
    endpoint: EndpointArgument,
    tenant: TenantOption,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what it took, and what was never sent")
    ] = False,
    after: Annotated[int, typer.Option(min=0, help="Positions above this one")] = 0,
    until: Annotated[int | None, typer.Option(min=0, help="Up to this position")] = None,
    since: Annotated[datetime | None, typer.Option(help="Recorded from then on (UTC)")] = None,
    before: Annotated[datetime | None, typer.Option(help="Recorded before then (UTC)")] = None,
) -> None:
    """Send a range of events again: what was given up, or with --all every one of them."""
    from cli.webhook_operations import replay_to  # noqa: PLC0415
    from gateway.webhooks.schemas import ReplayCreate  # noqa: PLC0415

    wanted = ReplayCreate(
        what="all" if everything else "failed",
        after=after,
        until=until,
        since=_in_utc(since),
        before=_in_utc(before),
    )
    queued = run_with_database(lambda: replay_to(TenantId(tenant), endpoint, wanted))
    typer.echo(f"{queued} queued.")


@webhooks.command("test")
def send_test_event(
    endpoint: EndpointArgument, tenant: TenantOption, as_json: JsonOption = False
) -> None:
    """Send a test event, and say how it was taken. Exits 1 when it was not."""
    from cli.webhook_operations import send_test  # noqa: PLC0415

    delivery = run_with_database(lambda: send_test(TenantId(tenant), endpoint))
    row = {
        "id": str(delivery.id),
        "status": delivery.status.value,
        "http_status": delivery.last_status,
        "error": delivery.last_error or "",
    }
    show_rows([row], as_json=as_json, nothing="")
    if delivery.status != "succeeded":
        raise typer.Exit(1)


def _when(instant: datetime | None) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds") if instant else ""


def _in_utc(given: datetime | None) -> datetime | None:
    return given.replace(tzinfo=UTC) if given and given.tzinfo is None else given
