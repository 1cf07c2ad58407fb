"""Make this checkout importable in its environment, and give it the `careloop` command.

The same as an editable install, without fetching a build backend.
"""

import stat
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = """#!/bin/sh
exec '{python}' -m cli.main "$@"
"""


def main() -> None:
    """Write the path file and the command."""
    site = Path(sysconfig.get_path("purelib"))
    (site / "careloop.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    command = Path(sysconfig.get_path("scripts")) / "careloop"
    python = sys.executable.replace("'", "'\\''")
    command.write_text(COMMAND.format(python=python), encoding="utf-8")
    command.chmod(command.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


if __name__ == "__main__":
    main()
