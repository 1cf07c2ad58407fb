"""What the generated requests must leave alone."""

import os

import schemathesis

_OWN = os.environ.get("CONTRACT_OWN_KEY_ID", "")


@schemathesis.hook
def filter_case(_context, case) -> bool:
    """Not the key that the requests themselves are made with."""
    return not (_OWN and _OWN in (case.path_parameters or {}).values())
