"""How full the connection pools are, looked at when somebody asks for metrics."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol
from weakref import WeakValueDictionary

from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


@dataclass(frozen=True, slots=True)
class PoolUsage:
    """Connections of one pool: serving a unit of work, open and unused, and at most."""

    in_use: int
    idle: int
    limit: int
    waiting: int


class HasPool(Protocol):
    """Something that holds a pool."""

    def pool_usage(self) -> PoolUsage:
        """How full it is."""
        ...


class PoolCollector(Collector):
    """The pools of this process, by the part that they serve."""

    def __init__(self) -> None:
        self._pools: WeakValueDictionary[str, HasPool] = WeakValueDictionary()

    def watch(self, part: str, holder: HasPool) -> None:
        """Tell of this pool from now on, for as long as it is there."""
        self._pools[part] = holder

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The metrics of all pools."""
        usages = {part: holder.pool_usage() for part, holder in list(self._pools.items())}
        for name, text in (
            ("in_use", "Connections that serve a unit of work"),
            ("idle", "Connections that are open and unused"),
            ("limit", "Connections that may be open at most"),
            ("waiting", "Units of work that wait for a connection"),
        ):
            family = GaugeMetricFamily(f"careloop_db_pool_{name}", text, labels=["part"])
            for part, usage in usages.items():
                family.add_metric([part], getattr(usage, name))
            yield family


POOLS = PoolCollector()
REGISTRY.register(POOLS)
