"""What can go wrong with a delivery."""

from shared.errors import CareloopError


class SignatureRefused(CareloopError):
    """The delivery is not signed with a secret of its connection."""

    status = 401
    code = "signature_refused"
    title = "The signature is missing or wrong"
