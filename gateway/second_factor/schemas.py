"""Second factors as clients write and read them."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, SecretStr

from shared.bodies import Body
from shared.text import TextRule


def _typed(code: str) -> str:
    """People type spaces where an app shows them."""
    return "".join(code.split())


Code = Annotated[
    str,
    TextRule(max_length=40),
    AfterValidator(_typed),
    Field(examples=["492039"], description="What the app shows now, or a recovery code"),
]
OwnPassword = Annotated[SecretStr, Field(min_length=1, max_length=200)]


class SecondFactorEnrol(Body):
    """Begin to use an authenticator app."""

    password: OwnPassword


class SecondFactorConfirm(Body):
    """Prove that the app knows the secret."""

    code: Code


class SecondFactorProof(Body):
    """Prove that it is you: by your password and a code."""

    password: OwnPassword
    code: Code


class SecondFactorRead(BaseModel):
    """Whether logging in takes a code as well."""

    object: Literal["second_factor"] = "second_factor"
    enabled: bool
    required: bool = Field(description="Whether the shop wants one of you")
    recovery_codes_left: int


class SecondFactorEnrolment(BaseModel):
    """What the app needs to know. It is not told again."""

    object: Literal["second_factor_enrolment"] = "second_factor_enrolment"
    secret: str = Field(examples=["JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"])
    uri: str = Field(
        description="Show it as a QR code",
        examples=["otpauth://totp/Hoa%20Sen:lan%40example.com?secret=JBSWY3DP&issuer=Hoa%20Sen"],
    )


class RecoveryCodes(BaseModel):
    """Codes for when the app is lost, each good once. They are not told again."""

    object: Literal["recovery_codes"] = "recovery_codes"
    codes: list[str] = Field(examples=[["k3vq-2xjd-m5ta-6wpe"]])
