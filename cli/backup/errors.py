"""What can stand in the way of a backup or of its return."""

from cli.errors import OperatorError


class BackupUnusable(OperatorError):
    """The file is no backup, is damaged, or was made by another version."""


class TargetNotFit(OperatorError):
    """The database that a backup should go to cannot take it."""


class NotAllowed(OperatorError):
    """The administrator's role does not see every row."""


class ShopNotFound(OperatorError):
    """There is no shop of that name."""
