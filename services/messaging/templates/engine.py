"""Liquid, within bounds: what a shop's staff writes can neither hang a worker nor fill its memory.

Bounded are the source, the nodes parsed, loop iterations, nesting, the values that filters take
and give, the output, and the time of the thread (not what others take from it on a busy machine).
A variable that is missing or null stops the rendering; a template says `| default: "..."` where it
can do without.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, wraps
from typing import Any, ClassVar, Final

from liquid import BoundTemplate, Environment, RenderContext, Token
from liquid.ast import Node
from liquid.exceptions import LiquidError, ResourceLimitError, UndefinedError
from liquid.output import LimitedStringIO
from liquid.undefined import UNDEFINED, FalsyStrictUndefined

from services.messaging.templates.errors import RenderError, TemplateSyntax, VariableMissing

MAX_NODES: Final = 1_000
MAX_VALUE: Final = 100_000
MAX_INTEGER_BITS: Final = 128
MAX_OUTPUT_BYTES: Final = 400_000
MAX_CPU_SECONDS: Final = 0.5

_TAGS: Final = """
    # assign break capture case comment content continue cycle decrement doc echo for if
    ifchanged illegal increment liquid output tablerow unless
"""
# No `safe`: what customers wrote is always escaped in HTML. No partials: there is no loader.
_FILTERS: Final = """
    abs append at_least at_most capitalize ceil compact concat date default divided_by
    downcase escape escape_once first floor join last lstrip map minus modulo newline_to_br
    plus prepend remove remove_first remove_last replace replace_first replace_last reverse
    round rstrip size slice sort sort_natural split squish strip strip_html strip_newlines
    sum times truncate truncatewords uniq upcase url_encode where
"""


class _Missing(FalsyStrictUndefined):
    """A variable that is not there: may be tested and defaulted, not used."""

    force_liquid_default = True

    def __eq__(self, other: object) -> bool:
        return other is False or other is None

    __hash__ = FalsyStrictUndefined.__hash__


class _Output(LimitedStringIO):
    """Output that also looks at the clock."""

    def __init__(self, limit: int, deadline: float) -> None:
        super().__init__(limit=limit)
        self._deadline = deadline

    def write(self, text: str) -> int:
        _check(self._deadline)
        return super().write(text)


class _Context(RenderContext):
    """A context that looks at the clock whenever a variable is read or written."""

    # How long a template runs is not what the injected clock is for.
    __slots__ = ("deadline",)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.deadline = time.thread_time() + MAX_CPU_SECONDS

    def get(
        self, path: list[object], *, token: Token | None, default: object = UNDEFINED
    ) -> object:
        _check(self.deadline)
        found = super().get(path, token=token, default=default)
        if isinstance(found, _Missing):
            # Named by its whole path, not by the first part that is missing.
            whole = ".".join(str(part) for part in path)
            return _Missing(whole, token=token, hint=f"{whole} is undefined")
        return found

    def assign(self, key: str, val: Any) -> None:
        _check(self.deadline)
        super().assign(key, val)


class _Template(BoundTemplate):
    context_class = _Context

    def _get_buffer(self) -> _Output:
        return _Output(MAX_OUTPUT_BYTES, time.thread_time() + MAX_CPU_SECONDS)


class _Environment(Environment):
    loop_iteration_limit: ClassVar[int | None] = 500
    local_namespace_limit: ClassVar[int | None] = 500_000
    output_stream_limit: ClassVar[int | None] = MAX_OUTPUT_BYTES
    template_class = _Template

    def __init__(self, *, html: bool) -> None:
        super().__init__(undefined=_Missing, autoescape=html)
        tags, filters = frozenset(_TAGS.split()), frozenset(_FILTERS.split())
        self.tags = {name: tag for name, tag in self.tags.items() if name in tags}
        self.filters = {
            name: _bounded(name, function)
            for name, function in self.filters.items()
            if name in filters
        }


def check_source(source: str, *, html: bool) -> None:
    """Raises TemplateSyntax when `source` is not a template that could ever be rendered."""
    _parsed(source, html)


def render(source: str, variables: Mapping[str, Any], *, html: bool) -> str:
    """The text that a template gives for these variables; values are escaped when it is HTML.

    Raises VariableMissing, TemplateSyntax, or RenderError (limits, wrong types).
    """
    template = _parsed(source, html)
    try:
        return template.render(_without_nulls(variables))
    except UndefinedError as error:
        raise VariableMissing(_name_of(error)) from error
    except (LiquidError, ArithmeticError, ValueError, TypeError, RecursionError) as error:
        raise RenderError(_first_line(error)) from error


@lru_cache
def _environment(html: bool) -> Environment:  # noqa: FBT001  (a cache key)
    return _Environment(html=html)


@lru_cache(maxsize=256)
def _parsed(source: str, html: bool) -> BoundTemplate:  # noqa: FBT001  (a cache key)
    environment = _environment(html)
    try:
        template = environment.from_string(source)
    except (LiquidError, RecursionError) as error:
        raise TemplateSyntax(_first_line(error)) from error
    if sum(1 for _ in _nodes(template.nodes)) > MAX_NODES:
        raise TemplateSyntax(f"more than {MAX_NODES} tags and outputs")
    for name in _filters_of(template):
        if name not in environment.filters:
            raise TemplateSyntax(f"unknown filter '{name}'")
    return template


def _nodes(nodes: list[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _nodes(list(node.children(None, include_partials=False)))  # type: ignore[arg-type]


def _filters_of(template: BoundTemplate) -> Iterator[str]:
    yield from template.analyze(include_partials=False).filters


def _bounded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that refuses values so large that what it makes of them could be enormous."""

    @wraps(function)
    def guarded(*arguments: Any, **options: Any) -> Any:
        sizes = [_size(argument) for argument in arguments]
        # `replace` and `join` can put one argument in once per element of the other.
        grows = name.startswith("replace") or name == "join"
        if max(sizes) > MAX_VALUE or (grows and _product(sizes) > MAX_VALUE * 10):
            raise ResourceLimitError(f"the value is too large for '{name}'", token=None)
        result = function(*arguments, **options)
        if _size(result) > MAX_VALUE:
            raise ResourceLimitError(f"'{name}' makes too large a value", token=None)
        return result

    return guarded


def _product(sizes: list[int]) -> int:
    return max(sizes[0], 1) * max([1, *sizes[1:]])


def _size(value: Any) -> int:
    if isinstance(value, bool):
        return 1
    if isinstance(value, int):
        return 1 if value.bit_length() <= MAX_INTEGER_BITS else MAX_VALUE + 1
    if isinstance(value, _Missing) or not isinstance(value, str | list | tuple | dict | range):
        return 1
    return len(value)


def _check(deadline: float) -> None:
    if time.thread_time() > deadline:
        raise ResourceLimitError("the template takes too long", token=None)


def _without_nulls(value: Any) -> Any:
    """`value` without its null members, so that using one is using something missing."""
    if isinstance(value, Mapping):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    if isinstance(value, list | tuple):
        return [_without_nulls(item) for item in value if item is not None]
    return value


def _name_of(error: UndefinedError) -> str:
    return _first_line(error).removesuffix(" is undefined").strip("'")


def _first_line(error: Exception) -> str:
    message = str(error.args[0]) if error.args else type(error).__name__
    return message.splitlines()[0][:200] if message else type(error).__name__
