"""A shop's sending policy, in force at a version."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.bodies import Body

MessageClass = Literal["transactional", "care", "advertising"]
Promotional = Literal["care", "advertising"]
Channel = Literal["email"]
ContactChannel = Literal["email", "sms", "zalo", "call"]


class FrequencyCap(Body):
    """At most `max_messages` to one address in any `window_hours` (rolling) of these classes."""

    model_config = ConfigDict(frozen=True)

    channel: Channel = "email"
    classes: Annotated[tuple[Promotional, ...], Field(min_length=1, max_length=2)] = (
        "care",
        "advertising",
    )
    max_messages: int = Field(default=3, ge=0, le=100, examples=[3])
    window_hours: int = Field(default=24, ge=1, le=24 * 31, examples=[24])


class PolicyRules(Body):
    """What must hold before a message of care or advertising leaves.

    The default caps are those of Vietnam's Decree 91/2020: three e-mails per address in 24 hours.
    """

    model_config = ConfigDict(frozen=True)

    frequency_caps: Annotated[tuple[FrequencyCap, ...], Field(max_length=10)] = (FrequencyCap(),)


class Policy(BaseModel):
    """The rules, and which version of them they are."""

    model_config = ConfigDict(frozen=True)

    version: int
    rules: PolicyRules
