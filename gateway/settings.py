"""What the gateway needs to know of its installation."""

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, IPvAnyNetwork, SecretStr
from pydantic_settings import NoDecode

from gateway.access.client_address import ForwardedHeader
from gateway.access.rate_limit import LimitSetting, RateLimit
from shared.settings import PartSettings


def _listed(value: Any) -> Any:
    """What stands between the commas of a variable's text."""
    if not isinstance(value, str):
        return value
    return [entry.strip() for entry in value.split(",") if entry.strip()]


Addresses = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed), Field(min_length=1)]
Networks = Annotated[tuple[IPvAnyNetwork, ...], NoDecode, BeforeValidator(_listed)]


class GatewaySettings(PartSettings):
    """Settings of the gateway, API and worker alike.

    Without an operator key no shop can be created over the API. The URLs say where the services
    are when they are processes of their own; in one process nobody reads them. Behind proxies of
    yours, name their networks (`10.0.0.0/8,fd00::/8`): only they are believed when they say for
    whom they ask. `staff_password_url` is where your front end lets staff choose a password
    (`https://desk.example.com/password#{token}`); without it a page of the gateway does. A rate
    limit is written as requests/seconds: `2000/10` lets 2,000 requests through at once and 200 a
    second in the long run. `bigcommerce_url` is where stores of BigCommerce are asked. The body of
    a platform's delivery is kept for `delivery_days` after it came, and for `unread_delivery_days`
    when nothing was made of it: an erasure does not find the person in it.
    """

    part: ClassVar[str] = "gateway"

    own_database_url: str | None = Field(default=None, validation_alias="GATEWAY_DATABASE_URL")
    operator_key: SecretStr | None = Field(default=None, min_length=16)
    trusted_proxies: Networks = ()
    forwarded_header: ForwardedHeader = ForwardedHeader.X_FORWARDED_FOR
    upstream_customer: Addresses = ("http://customer:8080",)
    upstream_segmentation: Addresses = ("http://segmentation:8080",)
    upstream_support_ticket: Addresses = ("http://support-ticket:8080",)
    upstream_messaging: Addresses = ("http://messaging:8080",)
    max_body_bytes: int = Field(default=1024 * 1024, ge=1024)
    max_hook_bytes: int = Field(default=5 * 1024 * 1024, ge=1024)
    max_upload_bytes: int = Field(default=16 * 1024 * 1024, ge=1024)
    body_seconds: float = Field(default=15, gt=0, le=300)
    upload_seconds: float = Field(default=25, gt=0, le=300)
    rate_limits: bool = True
    rate_limit_key: LimitSetting = RateLimit(2000, 10)
    rate_limit_staff: LimitSetting = RateLimit(600, 60)
    rate_limit_shopper: LimitSetting = RateLimit(120, 60)
    rate_limit_shop: LimitSetting = RateLimit(5000, 10)
    rate_limit_address: LimitSetting = RateLimit(120, 60)
    rate_limit_page: LimitSetting = RateLimit(300, 60)
    rate_limit_hook: LimitSetting = RateLimit(6000, 10)
    access_token_seconds: int = Field(default=15 * 60, ge=60, le=3600)
    refresh_token_days: int = Field(default=14, ge=1, le=90)
    session_days: int = Field(default=90, ge=1, le=365)
    login_failures: int = Field(default=10, ge=1, le=1000)
    login_failures_per_client: int = Field(default=100, ge=1, le=100_000)
    login_window_seconds: int = Field(default=300, ge=1, le=86_400)
    session_cache_seconds: float = Field(default=4, ge=0, le=4)
    staff_password_url: str | None = Field(default=None, pattern=r"\{token\}")
    bigcommerce_url: str = Field(default="https://api.bigcommerce.com", pattern=r"^https?://")
    delivery_days: int = Field(default=30, ge=30, le=3650)
    unread_delivery_days: int = Field(default=14, ge=14, le=3650)
    event_retention_days: int = Field(default=30, ge=7, le=3650)
    webhook_queues_at_once: int = Field(default=400, ge=4, le=10_000)
    credential_cache_seconds: float = Field(default=5, ge=0, le=5)

    def upstream_urls(self, service: str) -> tuple[str, ...]:
        """Where the processes of a service are reached. Raises ValueError for an unknown one."""
        urls = {
            "customer": self.upstream_customer,
            "segmentation": self.upstream_segmentation,
            "support_ticket": self.upstream_support_ticket,
            "messaging": self.upstream_messaging,
        }
        if service not in urls:
            raise ValueError(f"there is no service {service}")
        return urls[service]
