"""Errors whose message is for the operator as it stands."""


class OperatorError(Exception):
    """Something the operator can act on; `careloop` prints it and exits 1."""


class InstallationUnusable(OperatorError):
    """The folder or a setting of the installation does not do; `advice` says what would."""

    def __init__(self, fault: str, advice: str) -> None:
        super().__init__(f"{fault}. {advice}")
        self.fault = fault
        self.advice = advice


class NotReady(OperatorError):
    """The installation does not answer, or stopped answering."""


class StoppedEarly(OperatorError):
    """The operator stopped the start."""
