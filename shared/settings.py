"""Settings blocks that every part composes. The environment is read here and nowhere else.

`DATABASE_URL` is the administrator's connection (migrations, roles). Each part logs in with its
own role: by its own `<PART>_DATABASE_URL`, or by one derived from `DATABASE_URL` and the root key.
"""

from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url

from shared.outbound.guard import AllowList, OutboundGuard
from shared.security.keys import SHORTEST_KEY, KeyRing, RootKey, derive_password, derive_passwords

SERVICES = ("customer", "segmentation", "support_ticket", "messaging")
SCHEMAS = (*SERVICES, "gateway")


def login_role(schema: str) -> str:
    """The PostgreSQL role a part logs in with."""
    return f"careloop_{schema}"


class PartSettings(BaseSettings):
    """What every part (gateway or service, API or worker) needs to know of its installation."""

    model_config = SettingsConfigDict(
        env_prefix="CARELOOP_",
        env_file=".env",
        extra="ignore",
        populate_by_name=True,
    )

    part: ClassVar[str]

    secret_key: SecretStr = Field(min_length=SHORTEST_KEY)
    # Accepted besides, while the installation moves from one key to the next.
    secret_keys_old: SecretStr = SecretStr("")
    public_url: str = "http://127.0.0.1:8080"
    home: Path = Path(".careloop")
    admin_database_url: str | None = Field(default=None, validation_alias="DATABASE_URL")
    own_database_url: str | None = None
    redis_url: str = Field(default="redis://127.0.0.1:6379/0", validation_alias="REDIS_URL")
    pool_size: int = Field(default=24, ge=1, le=200)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    otlp_endpoint: str | None = None
    access_log: bool = True
    request_seconds: float = Field(default=30, gt=0, le=600)
    streams_per_shop: int = Field(default=50, ge=1, le=10_000)
    drain_seconds: float = Field(default=5, ge=0, le=300)
    poll_delay: float = Field(default=0.02, gt=0, le=1)
    outbound_allow: str = ""
    event_days: int = Field(default=7, ge=1, le=365)

    @field_validator("outbound_allow")
    @classmethod
    def _can_be_read(cls, text: str) -> str:
        AllowList.parse(text)
        return text

    @property
    def outbound_guard(self) -> OutboundGuard:
        """Judges hosts that shops name: public ones pass, and what `outbound_allow` lists."""
        return OutboundGuard(AllowList.parse(self.outbound_allow))

    @model_validator(mode="after")
    def _check_keys(self) -> Self:
        KeyRing.of(self.secret_key.get_secret_value(), self.secret_keys_old.get_secret_value())
        return self

    @property
    def root_key(self) -> KeyRing:
        """The root secrets from which the keys of every purpose are derived."""
        return KeyRing.of(
            self.secret_key.get_secret_value(), self.secret_keys_old.get_secret_value()
        )

    @property
    def database_url(self) -> str:
        """The URL of this part's own role. Raises ValueError when neither URL is set."""
        return self.own_database_url or part_database_url(
            self.part, admin_url=self.admin_database_url, root_key=self.root_key
        )

    @property
    def other_passwords(self) -> tuple[str, ...]:
        """What the role's password may be besides, when it follows from the root secrets."""
        if self.own_database_url:
            return ()
        return derive_passwords(self.root_key, login_role(self.part))[1:]


def part_database_url(schema: str, *, admin_url: str | None, root_key: RootKey) -> str:
    """The URL of a part's login role on the server of `admin_url`."""
    if admin_url is None:
        raise ValueError(f"Set DATABASE_URL or {schema.upper()}_DATABASE_URL")
    role = login_role(schema)
    url = make_url(admin_url).set(
        drivername="postgresql+asyncpg", username=role, password=derive_password(root_key, role)
    )
    return url.render_as_string(hide_password=False)
