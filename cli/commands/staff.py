"""`careloop staff`: who works for a shop, and helping those who cannot get in."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from cli.commands.shop_data import JsonOption, run_with_database, show_rows

staff = typer.Typer(help="The staff of a shop.", no_args_is_help=True)

ShopOption = Annotated[str, typer.Option("--tenant", help="The shop's id or slug")]
EmailArgument = Annotated[str, typer.Argument(help="The address they log in with")]
MailOption = Annotated[
    bool, typer.Option("--mail", help="Send the link by e-mail instead of printing it")
]


@staff.command("list")
def list_staff(tenant: ShopOption, as_json: JsonOption = False) -> None:
    """Show everybody who works for a shop, the newest first."""
    from cli import staff_operations  # noqa: PLC0415

    rows = [
        {
            "id": str(member.id),
            "name": member.name,
            "email": member.email,
            "role": member.role_ref,
            "sees": member.visibility.value,
            "teams": len(member.team_ids),
            "second_factor": member.second_factor_at is not None,
            "active": member.active,
        }
        for member in run_with_database(lambda: staff_operations.list_staff(tenant))
    ]
    show_rows(rows, as_json=as_json, nothing="Nobody works for this shop.")


@staff.command("create")
def create_staff(
    tenant: ShopOption,
    email: EmailArgument,
    name: Annotated[str, typer.Option(help="What they are called")],
    role: Annotated[str, typer.Option(help="A built-in role, or a role's id")] = "agent",
    mail: MailOption = False,
    as_json: JsonOption = False,
) -> None:
    """Add a member of staff, who chooses a password by a link that works for a week."""
    from cli import staff_operations  # noqa: PLC0415

    hired = run_with_database(
        lambda: staff_operations.create_staff(tenant, name=name, email=email, role=role, mail=mail)
    )
    row = {"id": str(hired.member.id), "email": hired.member.email, "link": hired.link or "mailed"}
    show_rows([row], as_json=as_json, nothing="")


@staff.command("reset-password")
def reset_password(
    tenant: ShopOption, email: EmailArgument, mail: MailOption = False, as_json: JsonOption = False
) -> None:
    """Make a link by which a member chooses a new password; it works once, for an hour."""
    from cli import staff_operations  # noqa: PLC0415

    link = run_with_database(lambda: staff_operations.reset_password(tenant, email, mail=mail))
    show_rows([{"email": email, "link": link or "mailed"}], as_json=as_json, nothing="")


@staff.command("sessions")
def list_sessions(tenant: ShopOption, email: EmailArgument, as_json: JsonOption = False) -> None:
    """Show where a member is logged in, the newest first."""
    from cli import staff_operations  # noqa: PLC0415

    rows = [
        {
            "id": str(session.id),
            "since": _when(session.created_at),
            "last_used": _when(session.last_used_at),
            "from": session.client_ip or "",
            "device": session.user_agent or "",
        }
        for session in run_with_database(lambda: staff_operations.list_sessions(tenant, email))
    ]
    show_rows(rows, as_json=as_json, nothing=f"{email} is logged in nowhere.")


@staff.command("revoke")
def revoke(
    tenant: ShopOption,
    email: EmailArgument,
    session: Annotated[UUID | None, typer.Option("--session", help="One; all without it")] = None,
    as_json: JsonOption = False,
) -> None:
    """Log a member out; it is felt everywhere within 5 seconds."""
    from cli import staff_operations  # noqa: PLC0415

    ended = run_with_database(lambda: staff_operations.revoke(tenant, email, session))
    show_rows([{"email": email, "ended": ended}], as_json=as_json, nothing="")


def _when(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""
