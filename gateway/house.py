"""What the gateway's process holds for all its requests, made once at start-up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from gateway.access.passwords import Passwords
from gateway.access.tokens import AccessTokens
from gateway.api_keys.keyring import Keyring
from gateway.api_keys.usage import KeyUsage
from gateway.background import Background
from gateway.deliveries.fetching import FETCH_DELIVERIES
from gateway.deliveries.tasks import READ_DELIVERIES
from gateway.directory.directory import Directory
from gateway.door.authenticator import Authenticator
from gateway.hooks.connections import HookConnections
from gateway.hooks.receiver import Receiver
from gateway.limits.limiter import RateLimiter
from gateway.limits.policies import Limits, NoLimits, RequestLimits
from gateway.limits.shared_buckets import SharedBuckets
from gateway.password_resets.links import LinkMaking
from gateway.second_factor.verifying import CodeVerifier
from gateway.sessions.accounts import Accounts
from gateway.sessions.attempts import SharedAttempts
from gateway.sessions.guard import LoginGuard
from gateway.sessions.live import LiveSessions
from gateway.sessions.service import SessionLife
from gateway.settings import GatewaySettings
from gateway.upstreams.upstream import Upstream
from shared.part.context import PartContext
from shared.queue.producer import Waker
from shared.security.keys import SecretBox


@dataclass(frozen=True, slots=True)
class House:
    """The collaborators of the gateway's endpoints and of its door."""

    context: PartContext[GatewaySettings]
    upstreams: Mapping[str, Upstream]
    directory: Directory
    passwords: Passwords
    tokens: AccessTokens
    key_usage: KeyUsage
    keyring: Keyring
    authenticator: Authenticator
    limiter: RateLimiter
    limits: RequestLimits
    session_life: SessionLife
    login_guard: LoginGuard
    live_sessions: LiveSessions
    accounts: Accounts
    code_verifier: CodeVerifier
    link_making: LinkMaking
    background: Background
    box: SecretBox
    hook_connections: HookConnections
    receiver: Receiver
    delivery_waker: Waker
    fetch_waker: Waker

    @classmethod
    def of(cls, context: PartContext[GatewaySettings], upstreams: Mapping[str, Upstream]) -> Self:
        """Everything, wired; nothing connects yet."""
        settings, clock = context.settings, context.clock
        operator_key = settings.operator_key
        directory = Directory(context.units)
        box = SecretBox(settings.root_key)
        tokens = AccessTokens(root_key=settings.root_key, clock=clock)
        waker = Waker(context.queue, part=settings.part, function=READ_DELIVERIES)
        fetch_waker = Waker(context.queue, part=settings.part, function=FETCH_DELIVERIES)
        hook_connections = HookConnections(
            units=context.units,
            directory=directory,
            box=box,
            clock=clock,
            cache_seconds=settings.credential_cache_seconds,
        )
        limiter = RateLimiter(SharedBuckets(settings.redis_url))
        limits = _request_limits(settings, limiter)
        key_usage = KeyUsage(context.units)
        keyring = Keyring(
            units=context.units,
            clock=clock,
            cache_seconds=settings.credential_cache_seconds,
            usage=key_usage,
            strangers=limits,
        )
        background = Background()
        live = LiveSessions(
            units=context.units,
            clock=clock,
            background=background,
            cache_seconds=settings.session_cache_seconds,
        )
        return cls(
            context=context,
            upstreams=upstreams,
            directory=directory,
            passwords=Passwords(),
            tokens=tokens,
            key_usage=key_usage,
            keyring=keyring,
            authenticator=Authenticator(
                keyring=keyring,
                tokens=tokens,
                sessions=live,
                operator_key=operator_key.get_secret_value() if operator_key else None,
            ),
            limiter=limiter,
            limits=limits,
            session_life=SessionLife(
                access=timedelta(seconds=settings.access_token_seconds),
                refresh=timedelta(days=settings.refresh_token_days),
                session=timedelta(days=settings.session_days),
            ),
            login_guard=LoginGuard(
                SharedAttempts(settings.redis_url),
                clock=clock,
                failures=settings.login_failures,
                failures_per_client=settings.login_failures_per_client,
                window_seconds=settings.login_window_seconds,
            ),
            live_sessions=live,
            accounts=Accounts(units=context.units, directory=directory),
            code_verifier=CodeVerifier(box),
            link_making=LinkMaking.of(settings, box),
            background=background,
            box=box,
            hook_connections=hook_connections,
            receiver=Receiver(
                units=context.units,
                connections=hook_connections,
                wake=waker.wake,
                wake_fetching=fetch_waker.wake,
            ),
            delivery_waker=waker,
            fetch_waker=fetch_waker,
        )


def _request_limits(settings: GatewaySettings, limiter: RateLimiter) -> RequestLimits:
    if not settings.rate_limits:
        return NoLimits()
    limits = Limits(
        key=settings.rate_limit_key,
        staff=settings.rate_limit_staff,
        shopper=settings.rate_limit_shopper,
        shop=settings.rate_limit_shop,
        address=settings.rate_limit_address,
        page=settings.rate_limit_page,
        hook=settings.rate_limit_hook,
    )
    return RequestLimits(limiter, limits)
