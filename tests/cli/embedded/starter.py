"""A process that starts one embedded server: starter.py KIND FOLDER [UID GID]

Prints the server's URL, waits for the end of its stdin and ends without stopping the server.
With UID and GID it becomes that user first, after importing what it needs.
"""

import os
import sys
from pathlib import Path

from cli.embedded import EmbeddedPostgres, EmbeddedValkey


def main(kind: str, folder: str, *account: str) -> None:
    if account:
        uid, gid = map(int, account)
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    server: EmbeddedPostgres | EmbeddedValkey
    if kind == "postgres":
        server = EmbeddedPostgres(Path(folder), durable=False)
    else:
        server = EmbeddedValkey(Path(folder))
    server.start()
    sys.stdout.write(f"{server.url()}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
