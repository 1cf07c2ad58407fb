"""The words of rules and runs."""

from typing import Literal

Action = Literal["empty", "anonymise", "report"]
AppliesTo = Literal["everybody", "leads", "customers"]
RunKind = Literal["nightly", "manual", "dry_run"]
RunStatus = Literal["running", "finished", "cancelled", "failed"]
Reason = Literal["legal_hold", "privacy_request", "restriction", "law", "not_yet"]
