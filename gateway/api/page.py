"""The page that Vite built: browsers ask for the index anew each time, and keep its hashed assets for ever."""

import html
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from gateway.api.parts import GatewayParts

router = APIRouter(include_in_schema=False)

KEPT = "public, max-age=31536000, immutable"

_UNBUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Truecount {site}</title>
<h1>The page is not built</h1><p>Run <code>make page</code> in Truecount's folder, then load this address again.</p>
<p>The gateway of {site} is running: its API is under <a href="/api/v1/snapshot">/api/v1</a>.</p></html>
"""


@router.api_route("/", methods=["GET", "HEAD"])
async def get_page(request: Request, parts: GatewayParts) -> Response:
    """The page."""
    if not (parts.page / "index.html").is_file():
        return HTMLResponse(_UNBUILT.format(site=html.escape(parts.site.title.en)))
    return await _file(request, parts, "index.html", "no-cache")


@router.api_route("/assets/{name:path}", methods=["GET", "HEAD"])
async def get_asset(request: Request, parts: GatewayParts, name: Annotated[str, Path()]) -> Response:
    """A part of the page whose name holds the hash of its content."""
    return await _file(request, parts, f"assets/{name}", KEPT)


@router.api_route("/favicon.svg", methods=["GET", "HEAD"])
async def get_icon(request: Request, parts: GatewayParts) -> Response:
    """The page's icon."""
    return await _file(request, parts, "favicon.svg", "no-cache")


async def _file(request: Request, parts: GatewayParts, path: str, cache: str) -> Response:
    if not parts.page.is_dir():
        raise HTTPException(404)
    response = await StaticFiles(directory=parts.page).get_response(path, request.scope)
    response.headers["Cache-Control"] = cache
    return response
