"""How long-running processes have the interpreter work; ADR 12 has what that brings."""

import gc
import sys
from typing import Final

# A request or a batch leaves many objects and hardly a cycle: it is enough to look now and then.
COLLECT_AFTER: Final = (20_000, 50, 100)
# How long a thread may compute before the loop has its turn. Python's own 5 ms are ten statements
# of the database that the loop could have sent meanwhile.
_TURN_SECONDS: Final = 0.0005


def settle_down() -> None:
    """What start-up has made stays for good; of the rest most goes without the collector.

    From now on threads that compute give way to the loop soon.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    sys.setswitchinterval(_TURN_SECONDS)
