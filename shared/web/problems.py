"""RFC 9457 problem details: the one form in which every error leaves the house."""

from collections.abc import Sequence
from http import HTTPStatus
from json import JSONDecodeError
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from shared.errors import CareloopError, FieldError, Invalid
from shared.json import dumps
from shared.web.faults import field_errors
from shared.web.methods import methods_at
from shared.web.strict_json import RefusedJson

MEDIA_TYPE = "application/problem+json"
REQUEST_ID_HEADER = "x-request-id"
_MOST_FAULTS: Final = 100


class ProblemError(BaseModel):
    """One fault of one field."""

    pointer: str = Field(examples=["/body/email"], description="JSON Pointer into the request")
    code: str = Field(examples=["value_error"])
    detail: str = Field(examples=["value is not a valid email address"])


class Problem(BaseModel):
    """An error, as RFC 9457 has it. `code` is stable; `detail` is for people."""

    type: str = Field(examples=["urn:careloop:problem:invalid"])
    title: str = Field(examples=["The request is not valid"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["1 field is at fault"])
    code: str = Field(examples=["invalid"])
    request_id: str | None = Field(default=None, examples=["0199d6a2b1c97e4f9b1f5d6c7a8e9f00"])
    errors: list[ProblemError] = Field(default_factory=list)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI description of the errors that an operation may answer."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def problem_schemas() -> dict[str, Any]:
    """The schemas that the description of an error refers to, by name."""
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**problem.pop("$defs", {}), "Problem": problem}


def problem_response(error: CareloopError, *, request_id: str | None) -> Response:
    """The response that tells a client of `error`."""
    return _render(
        status=error.status,
        code=error.code,
        title=error.title,
        detail=error.detail,
        request_id=request_id,
        errors=error.errors,
        extensions=error.extensions,
        headers=error.headers,
    )


def install_problem_handlers(app: FastAPI) -> None:
    """Render the house's errors, the framework's and validation failures as problems."""
    app.add_exception_handler(CareloopError, _on_careloop_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    # In one process a service's crash passes here before the outermost ring sees it.
    app.add_exception_handler(Exception, _on_crash)


TOLD: Final = (CareloopError, RequestValidationError, HTTPException)
"""What clients are told of as a problem, here or by the handlers above."""


async def problem_of(
    request: Request, error: CareloopError | RequestValidationError | HTTPException
) -> Response:
    """The answer that the handlers above give."""
    if isinstance(error, CareloopError):
        return await _on_careloop_error(request, error)
    if isinstance(error, RequestValidationError):
        return await _on_validation_error(request, error)
    return await _on_http_exception(request, error)


async def _on_careloop_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, CareloopError)  # noqa: S101  (the registration above says so)
    return problem_response(error, request_id=_request_id(request))


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    faults = _faults(error)
    noun = "field is" if len(faults) == 1 else "fields are"
    invalid = Invalid(f"{len(faults)} {noun} at fault", errors=faults)
    return problem_response(invalid, request_id=_request_id(request))


async def _on_crash(request: Request, _error: Exception) -> Response:
    return problem_response(CareloopError(), request_id=_request_id(request))


def _faults(error: RequestValidationError) -> list[FieldError]:
    cause = error.__cause__
    if isinstance(cause, RefusedJson):
        return [cause.fault]
    if isinstance(cause, JSONDecodeError):
        detail = f"{cause.msg} at character {cause.pos}"
        return [FieldError("/body", "json_invalid", detail)]
    return field_errors(error.errors(), body=error.body)[:_MOST_FAULTS]


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    if isinstance(error.__cause__, CareloopError):
        # Raised while the framework was reading the body, which is all it says of it.
        return problem_response(error.__cause__, request_id=_request_id(request))
    if error.status_code == HTTPStatus.BAD_REQUEST:
        # All the framework says so of is a body that is no text, or no form.
        fault = FieldError("/body", "unreadable", "The body cannot be read as what it claims to be")
        unreadable = Invalid("The body cannot be read", errors=[fault])
        return problem_response(unreadable, request_id=_request_id(request))
    status = HTTPStatus(error.status_code)
    headers = dict(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(sorted(methods_at(request.app, request.scope["path"])))
    return _render(
        status=status,
        code=status.phrase.lower().replace(" ", "_").replace("-", "_"),
        title=status.phrase,
        detail=str(error.detail),
        request_id=_request_id(request),
        headers=headers,
    )


def _render(
    *,
    status: int,
    code: str,
    title: str,
    detail: str,
    request_id: str | None,
    errors: Sequence[FieldError] = (),
    extensions: dict[str, object] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    body: dict[str, object] = {
        # First, so that what an error adds never hides what the RFC defines.
        **(extensions or {}),
        "type": f"urn:careloop:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id,
        "errors": [{"pointer": e.pointer, "code": e.code, "detail": e.detail} for e in errors],
    }
    # The door says so too; an answer of the outermost ring does not come through it.
    told = {"X-Content-Type-Options": "nosniff", **(headers or {})}
    return Response(dumps(body), status, told, MEDIA_TYPE)


def _request_id(request: Request) -> str | None:
    return request.headers.get(REQUEST_ID_HEADER)
