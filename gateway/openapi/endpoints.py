"""The API's own description, for programs and for people; served without any other host."""

from importlib.resources import files
from typing import Final

from fastapi import APIRouter, Response
from fastapi.staticfiles import StaticFiles

from gateway.deps import ApiDocumentDep

router = APIRouter(include_in_schema=False)

STATIC_PATH: Final = "/docs/static"
_JAVASCRIPT: Final = """\
window.addEventListener("load", function () {
  window.ui = SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    docExpansion: "none",
    filter: true,
    persistAuthorization: true,
    displayRequestDuration: true,
    tagsSorter: "alpha",
  });
});
"""
_PAGE: Final = f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Careloop API</title>
<link rel="stylesheet" href="{STATIC_PATH}/swagger-ui.css">
<link rel="icon" href="{STATIC_PATH}/favicon.png">
</head>
<body>
<div id="swagger-ui"></div>
<noscript>The API is described in <a href="/openapi.json">openapi.json</a>.</noscript>
<script src="{STATIC_PATH}/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
# The browser of the API sets styles on elements, and draws its icons from data.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@router.get("/openapi.json")
async def get_openapi(document: ApiDocumentDep) -> Response:
    """Every operation of every part."""
    return Response(
        await document.json(),
        media_type="application/json",
        headers={"Cache-Control": "public, max-age=60"},
    )


@router.get("/docs")
async def get_docs() -> Response:
    """The browser of the API."""
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "public, max-age=60"}
    return Response(_PAGE, media_type="text/html", headers=headers)


@router.get("/docs/start.js")
async def get_docs_script() -> Response:
    """What the page runs: in a file of its own, so that the policy need not allow inline code."""
    headers = {"Cache-Control": "public, max-age=60"}
    return Response(_JAVASCRIPT, media_type="text/javascript", headers=headers)


def docs_files() -> StaticFiles:
    """The files of Swagger UI, from a wheel."""
    return StaticFiles(directory=str(files("fastapi_offline") / "static"))
