"""Where platforms deliver their webhooks."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import PlainTextResponse
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

from gateway.deps import receiver_of
from gateway.platforms.platform import Platform
from shared.web.problems import problem_responses

_MAX_CHALLENGE: Final = 200
_RECEIVED: Final = b'{"received":true}'


async def take_delivery(scope: Scope, receive: Receive, send: Send) -> None:
    """The same as the route below, without looking for it: platforms are in a hurry."""
    _, _, _, platform, connection_id = scope["path"].split("/", 4)
    response = await receive_delivery(Request(scope, receive), platform, connection_id)
    await response(scope, receive, send)


class RawRoute(APIRoute):
    """A route that hands over the request as it came: nothing is parsed, nothing injected."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The endpoint itself, with the texts from its path."""
        endpoint = self.endpoint

        async def handle(request: Request) -> Response:
            response: Response = await endpoint(request, **request.path_params)
            return response

        return handle


router = APIRouter(prefix="/v1/hooks", tags=["hooks"], route_class=RawRoute)


@router.post(
    "/{platform}/{connection_id}",
    operation_id="hooks.receive",
    responses=problem_responses(401, 404, 413),
    openapi_extra={
        "security": [],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
    },
)
async def receive_delivery(
    request: Request,
    platform: Annotated[str, Path(json_schema_extra={"enum": list(Platform)})],
    connection_id: Annotated[str, Path(json_schema_extra={"format": "uuid"})],
) -> Response:
    """Receive a webhook as the platform sends it. The signature is the credential.

    A delivery with the right signature is kept whatever it says, once however often it is sent,
    and read later; see `GET /v1/connections/{connection_id}/deliveries`.
    """
    body = await request.body()
    await receiver_of(request).receive(platform, connection_id, request.headers, body)
    return Response(_RECEIVED, media_type="application/json")


@router.get(
    "/{platform}/{connection_id}",
    operation_id="hooks.confirm",
    response_class=PlainTextResponse,
    responses=problem_responses(404),
    openapi_extra={
        "security": [],
        "parameters": [
            {"name": name, "in": "query", "schema": {"type": "string", "maxLength": longest}}
            for name, longest in (("hub.verify_token", 64), ("hub.challenge", _MAX_CHALLENGE))
        ],
    },
)
async def confirm_receiver(
    request: Request,
    platform: Annotated[str, Path(json_schema_extra={"enum": list(Platform)})],
    connection_id: Annotated[str, Path(json_schema_extra={"format": "uuid"})],
) -> Response:
    """Answer a platform that asks whether it is to deliver here, as PubSubHubbub has it.

    The token is the id of the connection, which was told to the platform; the challenge is
    given back.
    """
    asked = request.query_params
    await receiver_of(request).confirm(platform, connection_id, asked.get("hub.verify_token"))
    challenge = asked.get("hub.challenge", "")[:_MAX_CHALLENGE]
    return PlainTextResponse(challenge, headers={"cache-control": "no-store"})
