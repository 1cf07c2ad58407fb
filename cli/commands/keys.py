"""`careloop keys`: the API keys of a shop."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import typer

from cli.commands.shop_data import JsonOption, run_with_database, show_rows

keys = typer.Typer(help="The API keys of a shop.", no_args_is_help=True)

ShopOption = Annotated[str, typer.Option("--tenant", help="The shop's id or slug")]
KeyArgument = Annotated[UUID, typer.Argument(help="The key's id")]


@keys.command("list")
def list_keys(
    tenant: ShopOption,
    with_revoked: Annotated[bool, typer.Option("--revoked", help="Revoked ones, too")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the keys of a shop, the newest first, and when each was used last."""
    from cli import key_operations  # noqa: PLC0415

    found = run_with_database(lambda: key_operations.list_keys(tenant))
    rows = [_row(key) for key in found if with_revoked or key.revoked_at is None]
    show_rows(rows, as_json=as_json, nothing="The shop has no API keys.")


@keys.command("create")
def create_key(
    tenant: ShopOption,
    name: Annotated[str, typer.Argument(help="What it is for")],
    scopes: Annotated[list[str], typer.Option("--scope", help="Repeat for more")],
    kind: Annotated[
        Literal["secret", "publishable"], typer.Option(help="For whose eyes")
    ] = "secret",
    ips: Annotated[list[str] | None, typer.Option("--ip", help="Only from there (CIDR)")] = None,
    origins: Annotated[
        list[str] | None, typer.Option("--origin", help="Pages of a publishable key")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Until it expires; never without")] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key and show its secret, which is never shown again."""
    from cli import key_operations  # noqa: PLC0415

    created = run_with_database(
        lambda: key_operations.create_key(
            tenant,
            name=name,
            scopes=scopes,
            kind=kind,
            allowed_ips=ips or [],
            allowed_origins=origins or [],
            expires_at=datetime.now(UTC) + timedelta(days=days) if days else None,
        )
    )
    show_rows([{"id": str(created.id), "key": created.key}], as_json=as_json, nothing="")


@keys.command("rotate")
def rotate_key(
    key: KeyArgument,
    tenant: ShopOption,
    overlap_hours: Annotated[
        int, typer.Option(min=0, max=720, help="How long the old secret stays good")
    ] = 24,
    as_json: JsonOption = False,
) -> None:
    """Give a key a new secret and show it; the old one stays good for a while."""
    from cli import key_operations  # noqa: PLC0415

    rotated = run_with_database(
        lambda: key_operations.rotate_key(tenant, key, overlap_seconds=overlap_hours * 3600)
    )
    row = {
        "id": str(rotated.id),
        "key": rotated.key,
        "old_secret_until": _when(rotated.previous_until),
    }
    show_rows([row], as_json=as_json, nothing="")


@keys.command("revoke")
def revoke_key(key: KeyArgument, tenant: ShopOption, as_json: JsonOption = False) -> None:
    """Refuse a key from now on; it is felt everywhere within 5 seconds."""
    from cli import key_operations  # noqa: PLC0415

    run_with_database(lambda: key_operations.revoke_key(tenant, key))
    show_rows([{"id": str(key), "revoked": True}], as_json=as_json, nothing="")


def _row(key: Any) -> dict[str, Any]:
    return {
        "id": str(key.id),
        "kind": key.kind.value,
        "name": key.name,
        "hint": key.hint,
        "scopes": " ".join(key.scopes),
        "from": " ".join([*key.allowed_ips, *key.allowed_origins]),
        "expires": _when(key.expires_at),
        "last_used": _when(key.last_used_at),
        "last_used_from": key.last_used_ip or "",
        "revoked": _when(key.revoked_at),
    }


def _when(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""
