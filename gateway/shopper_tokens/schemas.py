"""Shopper tokens as clients ask for them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from shared.bodies import Body


class ShopperTokenCreate(Body):
    """For whom, and for how long."""

    customer_id: UUID = Field(description="The customer who is logged in at the shop")
    ttl: Annotated[int, Field(ge=60, le=24 * 3600, description="Seconds")] = 3600


class ShopperTokenRead(BaseModel):
    """A token for a customer's browser or app."""

    object: Literal["shopper_token"] = "shopper_token"
    token: str = Field(description="Send it as `Authorization: Bearer ...`")
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  (a word of RFC 6750)
    customer_id: UUID
    expires_in: int = Field(examples=[3600])
    expires_at: datetime
