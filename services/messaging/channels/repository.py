"""SQL of the connected e-mail channels."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Uuid, bindparam, exists, select
from sqlalchemy.dialects.postgresql import insert

from services.messaging.channels.models import email_channel
from services.messaging.channels.records import EmailChannel
from shared.contracts.gateway import EmailChannelState
from shared.db.rows import RowsParameter
from shared.db.unit_of_work import UnitOfWork
from shared.security.keys import SecretBox

TENANT = bindparam("tenant", type_=Uuid)
_states = RowsParameter("state", email_channel, [c.name for c in email_channel.c][1:])


def _upsert() -> Any:
    given = insert(email_channel).from_select(
        ["tenant_id", *_states.columns], select(TENANT, *_states.source.c)
    )
    return given.on_conflict_do_update(
        index_elements=["tenant_id", "connection_id"],
        set_={name: given.excluded[name] for name in _states.columns[1:]},
        where=given.excluded.version > email_channel.c.version,
    )


_PROJECT = _upsert()
# Ids grow with time: the shop's default is the channel that it connected first.
_DEFAULT = (
    select(email_channel)
    .where(email_channel.c.tenant_id == TENANT, email_channel.c.active)
    .order_by(email_channel.c.connection_id)
    .limit(1)
)

_ANY = select(exists().where(email_channel.c.tenant_id == TENANT, email_channel.c.active))


class ChannelRepository:
    """E-mail channels inside one unit of work."""

    def __init__(self, uow: UnitOfWork, *, secrets: SecretBox) -> None:
        self._uow = uow
        self._secrets = secrets

    async def project(self, states: Iterable[EmailChannelState]) -> None:
        """Take over each state that is newer than what is known; one state per connection."""
        now = self._uow.clock.now()
        rows = [{**state.model_dump(), "updated_at": now} for state in states]
        await self._uow.execute(_PROJECT, {"tenant": self._uow.tenant_id, **_states.values(rows)})

    async def has_any(self) -> bool:
        """Whether this shop has connected a channel of its own."""
        return bool((await self._uow.one(_ANY, {"tenant": self._uow.tenant_id}))[0])

    async def find_default(self) -> EmailChannel | None:
        """The channel that this shop's e-mail leaves through; None when none is connected.

        Raises ValueError when its credentials were sealed with another secret key.
        """
        row = await self._uow.one_or_none(_DEFAULT, {"tenant": self._uow.tenant_id})
        if row is None:
            return None
        sealed = row.sealed_credentials
        credentials = self._secrets.open(sealed) if sealed else {}
        return EmailChannel(
            connection_id=row.connection_id,
            version=row.version,
            host=row.host,
            port=row.port,
            security=row.security,
            sender_name=row.sender_name,
            sender_address=row.sender_address,
            username=credentials.get("username") or None,
            password=credentials.get("password") or None,
        )
