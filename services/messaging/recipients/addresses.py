"""How addresses are compared: two spellings of one mailbox are one recipient."""

from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

from shared.text import nfc


def address_key(address: str) -> str:
    """What suppressions, caps and look-ups compare: composed and in lower case.

    RFC 5321 lets a mailbox distinguish case; no provider of note does, and a person who said stop
    as `An@x.vn` must not be written to as `an@x.vn`.
    """
    return nfc(address.strip()).lower()


@lru_cache(maxsize=4096)
def mailbox(address: str) -> str | None:
    """The ASCII form that SMTP carries (RFC 5321); None when `address` is not one it can.

    An internationalised domain becomes its IDNA form; a mailbox name beyond ASCII needs SMTPUTF8,
    which too few receivers speak. Says nothing of whether a mailbox is behind it.
    """
    try:
        valid = validate_email(address, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        return None
    return valid.ascii_email
