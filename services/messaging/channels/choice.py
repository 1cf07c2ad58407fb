"""By which channel a message goes. Pure: everything that matters is handed in.

Where the request names none: the customer's preferred channel comes first and the shop's follow in
their order; the first one that can carry the message is taken.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar, get_args

ChosenBy = Literal["request", "preference", "fallback"]
Obstacle = Literal["not_connected", "no_content", "no_address"]

# The worst first: what the shop has not got, what it has not written, what nobody can help.
_OBSTACLES: Final[tuple[Obstacle, ...]] = get_args(Obstacle)

C = TypeVar("C", bound=str)


@dataclass(frozen=True, slots=True)
class ChannelChoice(Generic[C]):
    """The channel that is taken and why; the preference that could not be met, and why not."""

    channel: C
    chosen_by: ChosenBy
    unmet_preference: str | None = None
    unmet_preference_reason: Obstacle | None = None


def choose_channel(
    *,
    preferred: str | None,
    order: Sequence[C],
    connected: Collection[C],
    addresses: Mapping[C, str | None],
    contents: Collection[C],
) -> ChannelChoice[C]:
    """Choose among the channels of `order`, which has at least one.

    `addresses` are those of the recipient by channel, `contents` the channels that the message has
    words for. When none can carry it, the one that lacks least is taken: it says what is wrong.
    """

    def obstacle_of(channel: object) -> Obstacle | None:
        lacking = {
            "not_connected": channel not in connected,
            "no_content": channel not in contents,
            "no_address": not any(a for c, a in addresses.items() if c == channel),
        }
        return next((each for each in _OBSTACLES if lacking[each]), None)

    def severity_of(channel: C) -> int:
        obstacle = obstacle_of(channel)
        return 0 if obstacle is None else len(_OBSTACLES) - _OBSTACLES.index(obstacle)

    # Sorting is stable: the preferred channel first, the others in their order.
    candidates = sorted(order, key=lambda channel: channel != preferred)
    taken = min(candidates, key=severity_of)
    if taken == preferred:
        return ChannelChoice(taken, "preference")
    if preferred is None:
        return ChannelChoice(taken, "fallback")
    reason = obstacle_of(preferred) if preferred in order else "not_connected"
    return ChannelChoice(taken, "fallback", preferred, reason)
