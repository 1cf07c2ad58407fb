"""How a customer is reached, as clients read it."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from services.messaging.channels.choice import ChosenBy, Obstacle
from services.messaging.policies.records import Channel


class ChannelReach(BaseModel):
    """Whether a customer can be reached by one channel."""

    channel: Channel
    connected: bool = Field(description="Whether the shop has connected it")
    reachable: bool = Field(description="Whether an address of theirs there is known")


class MessagingPreferencesRead(BaseModel):
    """By what channel a customer likes to be written to, and by which one they would be now."""

    object: Literal["preferences"] = "preferences"
    customer_id: UUID = Field(description="The record that stands for the person")
    preferred_channel: str | None = Field(
        description="Also null while the customer's data are restricted", examples=["zalo"]
    )
    channel: Channel = Field(
        description="What a message that names none would take, if its template has words for it"
    )
    channel_chosen_by: ChosenBy
    unmet_preference: str | None = Field(
        description="The preferred channel, when it cannot be taken", examples=["zalo"]
    )
    unmet_preference_reason: Obstacle | None
    channels: list[ChannelReach] = Field(description="The shop's channels in its order")
