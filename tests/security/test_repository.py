"""No credential is in the repository; what looks like one and is none has its reason here."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from detect_secrets import SecretsCollection
from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).parents[2]
# Guesses from entropy or from a variable's name find every id and every test's password.
GUESSING = {
    "Base64HighEntropyString",
    "HexHighEntropyString",
    "KeywordDetector",
    "IPPublicDetector",
}
# Hashes of packages, and figures.
NOT_LOOKED_AT = {"requirements.txt", "requirements-dev.txt", "deploy/grafana/careloop.json"}
NO_SECRETS = {
    (".env.example", "Basic Auth Credentials"): "shows how a URL is written",
    ("cli/doctor.py", "Basic Auth Credentials"): "shows how a URL is written",
    ("deploy/kubernetes/README.md", "Basic Auth Credentials"): "shows how a URL is written",
    ("tests/cli/test_doctor.py", "Basic Auth Credentials"): "a server that is not there",
    ("tests/gateway/test_hostile_inputs.py", "JSON Web Token"): "a forgery",
    ("tests/security/test_redaction.py", "Basic Auth Credentials"): "to be hidden",
    ("tests/security/test_redaction.py", "JSON Web Token"): "to be hidden",
}


def tracked_files() -> list[str]:
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, check=True
    )
    return sorted(set(listed.stdout.splitlines()) - NOT_LOOKED_AT)


def secrets_in(files: list[str]) -> Iterator[tuple[str, str, int]]:
    """What the detectors find, asked only about files in which one of their patterns is."""
    kinds = [
        kind
        for kind in get_mapping_from_secret_type_to_class().values()
        if kind.__name__ not in GUESSING
    ]
    patterns = [
        re.compile(each.pattern, each.flags | re.MULTILINE)
        for kind in kinds
        for each in kind().denylist
    ]
    found = SecretsCollection(root=str(ROOT))
    with transient_settings({"plugins_used": [{"name": kind.__name__} for kind in kinds]}):
        for file in files:
            text = (ROOT / file).read_text(encoding="utf-8", errors="replace")
            if any(pattern.search(text) for pattern in patterns):
                found.scan_file(file)
    for file, secret in found:
        yield file, secret.type, secret.line_number


def test_no_credential_is_in_the_repository():
    found = list(secrets_in(tracked_files()))
    assert [each for each in found if each[:2] not in NO_SECRETS] == []
    assert {each[:2] for each in found} == set(NO_SECRETS), "an exception that is not needed"


def test_one_would_be_found(tmp_path: Path):
    key = "AKIA" + "IOSFODNN7EXAMPLF"
    (tmp_path / "settings.py").write_text(f'AWS_KEY = "{key}"\n')
    private = "-----BEGIN " + "RSA PRIVATE KEY-----"
    (tmp_path / "id_rsa").write_text(f"{private}\nMIIE\n")
    files = [str(path) for path in tmp_path.iterdir()]
    assert {kind for _, kind, _ in secrets_in(files)} == {"AWS Access Key", "Private Key"}
