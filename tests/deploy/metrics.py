"""Which metrics the code has, and which a PromQL expression asks for."""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import promql_parser
from prometheus_client import REGISTRY

ROOT = Path(__file__).parents[2]
_TARGET_LABELS = {"job", "instance", "le"}
_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}


def known_metrics() -> dict[str, set[str]]:
    """The name of every sample of ours that a process may expose, with its labels."""
    for package in ("shared", "gateway", "services"):
        for module in (ROOT / package).rglob("metrics.py"):
            import_module(".".join(module.relative_to(ROOT).with_suffix("").parts))
    import_module("gateway.limits.limiter")
    import_module("shared.part.context")
    found: dict[str, set[str]] = {"up": set()}
    for collector in REGISTRY._collector_to_names:
        for family in collector.collect():
            if family.name.startswith("careloop_"):
                labels = set(getattr(collector, "_labelnames", ("part",)))
                for suffix in _SUFFIXES[family.type]:
                    found[family.name + suffix] = labels
    return found


def complaints(expression: str, known: dict[str, set[str]]) -> Iterator[str]:
    """What an expression asks for that nobody tells. Raises ValueError when it is no PromQL."""
    plain = re.sub(r"\$__rate_interval", "5m", expression).replace("$part", ".*")
    asked: set[str] = set()
    for selector in _selectors(promql_parser.parse(plain)):
        if selector.name not in known:
            yield f"{selector.name} is told by nobody"
            continue
        asked |= known[selector.name]
        for matcher in selector.matchers.matchers:
            if matcher.name not in known[selector.name] | _TARGET_LABELS:
                yield f"{selector.name} has no label {matcher.name}"
    for grouped in re.findall(r"\b(?:by|on|without)\s*\(([^)]*)\)", plain):
        for label in filter(None, (name.strip() for name in grouped.split(","))):
            if label not in asked | _TARGET_LABELS:
                yield f"nothing in it has a label {label}"


def _selectors(expression) -> list[promql_parser.VectorSelector]:
    found = []

    def look(node) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        return True

    promql_parser.walk(expression, look)
    return found
