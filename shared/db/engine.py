"""The asynchronous engine of one part's login role."""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import event
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.db.failures import sqlstate
from shared.json import dumps_text

POOL_PATIENCE_SECONDS = 5
# Who waits longer than any request may take is undone, as if it had lost a conflict.
LOCK_PATIENCE_SECONDS = 30
# No transaction of ours waits long for anything but the database. One that is silent for so long
# has lost its owner, and the server frees what it holds.
LOST_AFTER_SECONDS = 60
_PASSWORD_REFUSED = frozenset({"28P01", "28000"})


def create_engine(
    url: str, *, pool_size: int, application: str, other_passwords: Sequence[str] = ()
) -> AsyncEngine:
    """An engine whose pool is larger than the concurrency one API process is meant to serve.

    While the installation's secret key changes, the role may still have, or have already, one of
    `other_passwords`: they are tried when the server refuses the URL's.
    """
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_use_lifo=True,
        pool_recycle=1800,
        # Who has waited so long is better told to come back than kept waiting with the others.
        pool_timeout=POOL_PATIENCE_SECONDS,
        # Units of work begin and commit by themselves; see transaction.py.
        isolation_level="AUTOCOMMIT",
        json_serializer=dumps_text,
        json_deserializer=orjson.loads,
        connect_args={
            "timeout": POOL_PATIENCE_SECONDS,
            "prepared_statement_cache_size": 256,
            "statement_cache_size": 512,
            "server_settings": {
                "application_name": application,
                "jit": "off",
                # Whoever goes on in another's transaction sees what was committed meanwhile.
                "default_transaction_isolation": "read committed",
                "idle_in_transaction_session_timeout": f"{LOST_AFTER_SECONDS}s",
                "lock_timeout": f"{LOCK_PATIENCE_SECONDS}s",
            },
        },
    )
    if other_passwords:
        _try_passwords(engine, other_passwords)
    return engine


def _try_passwords(engine: AsyncEngine, others: Sequence[str]) -> None:
    @event.listens_for(engine.sync_engine, "do_connect")
    def connect(
        dialect: Dialect, _record: Any, arguments: list[Any], parameters: dict[str, Any]
    ) -> DBAPIConnection:
        *earlier, last = (parameters.get("password"), *others)
        for password in earlier:
            try:
                return dialect.connect(*arguments, **{**parameters, "password": password})
            except Exception as error:
                if sqlstate(error) not in _PASSWORD_REFUSED:
                    raise
        return dialect.connect(*arguments, **{**parameters, "password": last})
