"""Every part of the house as the code has it today; a part that is added is found by itself."""

import importlib
from collections.abc import Iterator
from functools import cache

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy import MetaData, Table

from shared.settings import SCHEMAS, SERVICES, PartSettings
from tests.support.servers import ROOT_KEY


def package_of(schema: str) -> str:
    """The package of a part."""
    return f"services.{schema}" if schema in SERVICES else schema


@cache
def metadata_of(schema: str) -> MetaData:
    """The tables that the history of a schema is held against."""
    metadata: MetaData = importlib.import_module(f"{package_of(schema)}.schema").metadata
    return metadata


def tables_of(schema: str) -> list[Table]:
    """The tables of a part, by name."""
    return sorted(metadata_of(schema).tables.values(), key=lambda table: table.name)


@cache
def app_of(schema: str) -> FastAPI:
    """The application of a part; nothing is connected."""
    settings_module = importlib.import_module(f"{package_of(schema)}.settings")
    [settings_class] = [
        kind
        for kind in vars(settings_module).values()
        if isinstance(kind, type)
        and issubclass(kind, PartSettings)
        and getattr(kind, "part", None) == schema
    ]
    settings = settings_class(
        secret_key=ROOT_KEY,
        admin_database_url="postgresql+asyncpg://nobody@127.0.0.1:1/nothing",
        _env_file=None,
    )
    create_app = importlib.import_module(f"{package_of(schema)}.app").create_app
    app: FastAPI = create_app(settings, {}) if schema == "gateway" else create_app(settings)
    return app


def operations_of(schema: str) -> Iterator[tuple[str, APIRoute]]:
    """`METHOD /path` and the route, of every operation of a part."""
    for context in iter_route_contexts(app_of(schema).routes):
        route = context.original_route
        if isinstance(route, APIRoute):
            for method in sorted(context.methods or ()):
                yield f"{method} {context.path}", route


ALL_TABLES = [table for schema in SCHEMAS for table in tables_of(schema)]
