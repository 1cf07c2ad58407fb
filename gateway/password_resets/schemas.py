"""Passwords that are forgotten or changed, as clients write it."""

from typing import Annotated

from pydantic import Field, SecretStr

from gateway.staff.schemas import Password
from shared.bodies import Body
from shared.text import TextRule


class PasswordResetRequest(Body):
    """Whose password is forgotten."""

    email: Annotated[str, TextRule(min_length=3, max_length=254)] = Field(
        examples=["lan@example.com"]
    )
    shop: Annotated[str, TextRule(max_length=64)] | None = Field(
        default=None, examples=["hoa-sen"], description="Slug; without it, every shop they work for"
    )


class PasswordResetConfirm(Body):
    """The token of the link in the mail, and the password to have."""

    token: Annotated[SecretStr, Field(min_length=1, max_length=200)]
    password: Password


class PasswordChange(Body):
    """Another password for who knows their own."""

    current_password: Annotated[SecretStr, Field(min_length=1, max_length=200)]
    new_password: Password
