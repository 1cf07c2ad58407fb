"""`careloop tenants`: the shops of the installation."""

from typing import Annotated

import typer

from cli.commands.shop_data import JsonOption, run_with_database, show_rows

tenants = typer.Typer(help="The shops of the installation.", no_args_is_help=True)


@tenants.command("list")
def list_tenants(as_json: JsonOption = False) -> None:
    """Show every shop."""
    from cli import staff_operations  # noqa: PLC0415

    rows = [
        {
            "id": str(shop.id),
            "slug": shop.slug,
            "name": shop.state.name,
            "locale": shop.state.locale,
            "currency": shop.state.currency,
            "timezone": shop.state.timezone,
        }
        for shop in run_with_database(staff_operations.list_shops)
    ]
    show_rows(rows, as_json=as_json, nothing="There is no shop yet: careloop tenants create.")


@tenants.command("create")
def create_tenant(
    slug: Annotated[str, typer.Argument(help="Names the shop in the whole installation")],
    name: Annotated[str, typer.Option(help="What the shop is called")],
    owner_email: Annotated[str, typer.Option(help="The address its owner logs in with")],
    owner_name: Annotated[str, typer.Option(help="What its owner is called")],
    as_json: JsonOption = False,
) -> None:
    """Create a shop with its owner, whose password is printed once."""
    from cli import staff_operations  # noqa: PLC0415

    created, password = run_with_database(
        lambda: staff_operations.create_shop(
            name=name, slug=slug, owner_name=owner_name, owner_email=owner_email
        )
    )
    row = {
        "id": str(created.id),
        "slug": created.slug,
        "owner": created.owner.email,
        "password": password,
    }
    show_rows([row], as_json=as_json, nothing="")
