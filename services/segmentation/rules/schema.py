"""The form of a rule on the wire. What its names and values mean is checked by `parse.py`."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, JsonValue, StrictBool, Tag

from services.segmentation.rules.catalog import Op
from shared.bodies import Body

# In the location of a validation error; told apart from keys of the rule by the colon.
TAG_PREFIX = "node:"
_KEYS = ("all", "any", "not", "field", "orders", "tickets", "messages")
_WINDOW_KEYS = ("last", "between", "since")

Text = Annotated[str, Field(min_length=1, max_length=500)]


class _Node(Body):
    model_config = ConfigDict(frozen=True, populate_by_name=True)


class AllNode(_Node):
    """True when every child is."""

    all: Annotated[list["RuleNode"], Field(min_length=1, max_length=200)]


class AnyNode(_Node):
    """True when at least one child is."""

    any: Annotated[list["RuleNode"], Field(min_length=1, max_length=200)]


class NotNode(_Node):
    """True when the child is not true. With `require_known`, unknown stays out."""

    not_: Annotated["RuleNode", Field(alias="not")]
    require_known: StrictBool = False


class _Comparison(_Node):
    op: Op
    value: JsonValue = None
    require_known: StrictBool = Field(
        default=False, description="For negative operators: leave out who has no known value"
    )


class FieldNode(_Comparison):
    """Compares one field: `profile.*`, `attributes.*`, `consent.*`; in `where` a row's own."""

    field: Annotated[str, Field(max_length=100, examples=["profile.city"])]


class LastWindow(_Node):
    """The last days (`P30D`, whole days in the shop's time zone) or hours (`PT36H`)."""

    last: Annotated[Text, Field(examples=["P30D"])]


class BetweenWindow(_Node):
    """From the first to the second: days count whole, of two instants the second is excluded."""

    between: Annotated[list[Text], Field(min_length=2, max_length=2)]


class SinceWindow(_Node):
    """From a day's beginning or an instant on."""

    since: Text


def _tag(keys: tuple[str, ...], value: Any) -> str | None:
    """The tag of the first of `keys` that `value` (JSON or a node) has."""
    if isinstance(value, dict):
        return next((TAG_PREFIX + key for key in keys if key in value), None)
    names = {
        field.alias or name for name, field in getattr(type(value), "model_fields", {}).items()
    }
    return next((TAG_PREFIX + key for key in keys if key in names), None)


def _node_tag(value: Any) -> str | None:
    return _tag(_KEYS, value)


def _window_tag(value: Any) -> str | None:
    return _tag(_WINDOW_KEYS, value)


Window = Annotated[
    Annotated[LastWindow, Tag("node:last")]
    | Annotated[BetweenWindow, Tag("node:between")]
    | Annotated[SinceWindow, Tag("node:since")],
    Discriminator(_window_tag),
]


class _Aggregate(_Comparison):
    where: "RuleNode | None" = Field(
        default=None, description="Which rows count: a rule over the row's own fields"
    )
    window: Window | None = Field(default=None, description="When the row happened")


class OrdersAggregate(_Aggregate):
    """A measure of the customer's orders."""

    measure: Literal[
        "count",
        "sum_total",
        "sum_net",
        "avg_total",
        "min_total",
        "max_total",
        "first_at",
        "last_at",
    ]


class TicketsAggregate(_Aggregate):
    """A measure of the customer's tickets."""

    measure: Literal["count", "last_csat", "avg_csat", "min_csat", "first_at", "last_at"]


class MessagesAggregate(_Aggregate):
    """A measure of the messages sent to the customer."""

    measure: Literal["count", "first_at", "last_at"]


class OrdersNode(_Node):
    """Compares a measure of the orders that pass `where` and `window`."""

    orders: OrdersAggregate


class TicketsNode(_Node):
    """Compares a measure of the tickets that pass `where` and `window`."""

    tickets: TicketsAggregate


class MessagesNode(_Node):
    """Compares a measure of the messages that pass `where` and `window`."""

    messages: MessagesAggregate


RuleNode = Annotated[
    Annotated[AllNode, Tag("node:all")]
    | Annotated[AnyNode, Tag("node:any")]
    | Annotated[NotNode, Tag("node:not")]
    | Annotated[FieldNode, Tag("node:field")]
    | Annotated[OrdersNode, Tag("node:orders")]
    | Annotated[TicketsNode, Tag("node:tickets")]
    | Annotated[MessagesNode, Tag("node:messages")],
    Discriminator(_node_tag),
]

for _model in (AllNode, AnyNode, NotNode, OrdersAggregate, TicketsAggregate, MessagesAggregate):
    _model.model_rebuild()
for _wrapper in (OrdersNode, TicketsNode, MessagesNode):
    _wrapper.model_rebuild()
