"""The gateway as an application: its own endpoints behind the door to everybody's."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from starlette.middleware import Middleware

from gateway.access.client_address import ClientAddresses
from gateway.api_keys.endpoints import router as api_keys
from gateway.audit_log.endpoints import router as audit_log
from gateway.connections.endpoints import router as connections
from gateway.deliveries.endpoints import router as deliveries
from gateway.deps import attach_document, attach_house
from gateway.door.door import Door
from gateway.door.security_headers import SecurityHeaders
from gateway.events.endpoints import router as events
from gateway.hooks.endpoints import router as hooks
from gateway.house import House
from gateway.openapi.document import ApiDocument
from gateway.openapi.endpoints import STATIC_PATH, docs_files
from gateway.openapi.endpoints import router as docs
from gateway.openapi.webhooks import described_webhooks
from gateway.outgoing import Outgoing, attach_outgoing
from gateway.password_resets.endpoints import page_router as password_pages
from gateway.password_resets.endpoints import public_router as password_links
from gateway.password_resets.endpoints import router as passwords
from gateway.reports.endpoints import router as reports
from gateway.roles.endpoints import router as roles
from gateway.second_factor.endpoints import router as second_factor
from gateway.second_factor.endpoints import staff_router as staff_second_factor
from gateway.sessions.endpoints import public_router as logins
from gateway.sessions.endpoints import router as sessions
from gateway.sessions.endpoints import staff_router as staff_sessions
from gateway.settings import GatewaySettings
from gateway.shopper_tokens.endpoints import router as shopper_tokens
from gateway.staff.endpoints import router as staff
from gateway.staff_policy.endpoints import router as staff_policy
from gateway.teams.endpoints import router as teams
from gateway.tenants.endpoints import router as tenants
from gateway.upstreams.upstream import Upstream
from gateway.webhooks.delivery_endpoints import router as webhook_deliveries
from gateway.webhooks.endpoints import router as webhook_endpoints
from shared.clock import Clock
from shared.part.app import create_part_app
from shared.part.context import build_context
from shared.privacy.field_marks import told_marks
from shared.web.field_marks import ShopMarks, attach_field_marks

_DESCRIPTION = """\
Customer care for shops: who the customers are, which groups they are in, what they ask, what they
are told. Send `Authorization: Bearer <API key or access token>`."""


def create_app(
    settings: GatewaySettings,
    upstreams: Mapping[str, Upstream],
    *,
    clock: Clock | None = None,
) -> FastAPI:
    """The public door in front of `upstreams`, which are named as the services are."""
    context = build_context(settings, clock)
    house = House.of(context, upstreams)
    outgoing = Outgoing.of(context)
    app = create_part_app(
        context,
        title="Careloop",
        description=_DESCRIPTION,
        # Hooks first: the router looks through its routes in this order.
        routers=[
            hooks,
            tenants,
            logins,
            sessions,
            staff_sessions,
            second_factor,
            staff_second_factor,
            password_links,
            passwords,
            password_pages,
            staff,
            roles,
            teams,
            staff_policy,
            api_keys,
            shopper_tokens,
            connections,
            deliveries,
            events,
            webhook_endpoints,
            webhook_deliveries,
            audit_log,
            reports,
            docs,
        ],
        openapi_url=None,
        close=[outgoing.close],
    )
    app.mount(STATIC_PATH, docs_files())
    attach_house(app, house)
    attach_field_marks(app, ShopMarks(told_marks(settings.part)))
    attach_outgoing(app, outgoing)
    attach_document(app, _document(app, house))
    # Behind the ring that gives each request its id, before the gateway's own endpoints.
    app.user_middleware.append(_door(house))
    _run_together(app, house)
    return app


def _document(app: FastAPI, house: House) -> ApiDocument:
    return ApiDocument(
        own=lambda: {**app.openapi(), "webhooks": described_webhooks()},
        upstreams=house.upstreams,
        public_url=house.context.settings.public_url,
        clock=house.context.clock,
    )


def _door(house: House) -> Middleware:
    settings = house.context.settings
    return Middleware(
        Door,
        upstreams=house.upstreams,
        authenticator=house.authenticator,
        principals=house.context.principals,
        addresses=ClientAddresses(settings.trusted_proxies, header=settings.forwarded_header),
        limits=house.limits,
        security_headers=SecurityHeaders(https=settings.public_url.startswith("https:")),
        max_body_bytes=settings.max_body_bytes,
        max_hook_bytes=settings.max_hook_bytes,
        max_upload_bytes=settings.max_upload_bytes,
        body_seconds=settings.body_seconds,
        upload_seconds=settings.upload_seconds,
    )


def _run_together(app: FastAPI, house: House) -> None:
    """Start the upstreams before the gateway and stop them after it."""
    own_lifespan = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(started: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for upstream in house.upstreams.values():
                await stack.enter_async_context(upstream.running())
            await stack.enter_async_context(own_lifespan(started))
            stack.push_async_callback(house.delivery_waker.drain)
            stack.push_async_callback(house.fetch_waker.drain)
            stack.push_async_callback(house.login_guard.close)
            stack.push_async_callback(house.limiter.close)
            stack.push_async_callback(house.key_usage.close)
            yield

    app.router.lifespan_context = lifespan
