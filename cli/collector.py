"""How often the collector of cyclic garbage looks; ADR 12 has what that costs."""

import gc
from typing import Final

# A request or a batch leaves many objects and hardly a cycle: it is enough to look now and then.
_AFTER: Final = (20_000, 50, 100)


def spare_the_collector() -> None:
    """What start-up has made stays for good, and of the rest most goes without the collector."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_AFTER)
