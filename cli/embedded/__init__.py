"""PostgreSQL and Valkey from wheels, for machines that have neither: `careloop up` and the tests.

Both are real servers under a small supervisor of our own; only the wheels' programs are used.
Around a data folder `X` lie `X.lock` (one starter at a time), `X.users` (held by every process
that uses the server), `X.password`, `X.state` (where it listens) and `X.log`.
"""

from cli.embedded.errors import EmbeddedServerError
from cli.embedded.postgres import EmbeddedPostgres
from cli.embedded.valkey import EmbeddedValkey

__all__ = ["EmbeddedPostgres", "EmbeddedServerError", "EmbeddedValkey"]
