"""What every event of every part has in common."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Contract(BaseModel):
    """A frozen message between parts: changed by addition only, unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Event(Contract):
    """A fact, in the past tense. It carries the full state of the object it is about."""

    type: ClassVar[str]
