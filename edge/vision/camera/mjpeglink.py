"""A camera's Motion JPEG over HTTP."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import httpx

from contract.sortingline import MjpegCamera
from edge.errors import CameraTrouble
from edge.steadyclock import steady_us
from edge.vision.camera.mjpeg import Parser
from edge.vision.camera.source import OPEN_S, TORN, Host, Taken

_BOUNDARY: Final = re.compile(r'boundary\s*=\s*(?:"([^"]{1,200})"|([^\s;]{1,200}))', re.IGNORECASE)
_ADVICE: Final = {
    401: "it asks for a name and a password: write them into the url, http://NAME:PASSWORD@...",
    403: "it refuses this name: give it the right to see the picture",
    404: "there is no such page: look the path of its MJPEG stream up in its manual",
    503: "it is busy: let fewer programs watch it",
}


def pictures(camera: MjpegCamera, host: Host) -> Iterator[Taken]:
    """What the camera sends, until it ends: then `CameraTrouble` says why. Redirects and passwords are heeded."""
    with _answer(camera, host) as response:
        parser = Parser(_boundary(response))
        torn, late_s = 0, time.monotonic() + camera.stall_s + OPEN_S
        for piece in response.iter_raw():
            at_us = steady_us()
            host.count("bytes", len(piece))
            for part in parser.feed(piece, at_us):
                late_s = time.monotonic() + camera.stall_s + OPEN_S
                yield Taken(*part)
            if parser.torn > torn:
                host.count("torn", parser.torn - torn)
                host.trouble(TORN)
                torn = parser.torn
            if time.monotonic() > late_s:
                raise CameraTrouble("it sends, but no pictures: look the path of its MJPEG stream up in its manual")
    raise CameraTrouble("it closed the connection: check its power, and let fewer programs watch it")


@contextmanager
def _answer(camera: MjpegCamera, host: Host) -> Iterator[httpx.Response]:
    """The open stream. What goes wrong with it, now or later, becomes `CameraTrouble`."""
    wait, place = httpx.Timeout(OPEN_S, read=camera.stall_s), "the camera"
    try:
        url = httpx.URL(camera.url)
        bare = url.copy_with(username=None, password=None)
        place = f"{url.host}:{url.port or {'https': 443}.get(url.scheme, 80)}"
        # no proxy from the environment: a camera stands in the warehouse
        with httpx.Client(trust_env=False, follow_redirects=True, max_redirects=5, timeout=wait) as client:
            auth = httpx.DigestAuth(url.username, url.password) if url.username else None
            with client.stream("GET", bare, auth=auth) as response:
                if response.status_code != 401 or not url.username:
                    yield _checked(response)
                    return
            with client.stream("GET", bare, auth=(url.username, url.password)) as response:
                yield _checked(response)
    except httpx.ReadTimeout as error:
        host.count("stalls")
        raise CameraTrouble(
            f"{place} has sent nothing for {camera.stall_s:g} s: switch the camera off and on"
        ) from error
    except httpx.ConnectTimeout as error:
        raise CameraTrouble(f"{place} does not answer: check the camera's power, its cable and its address") from error
    except httpx.ConnectError as error:
        raise CameraTrouble(f"no connection to {place} ({error}): check the camera's power and its address") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise CameraTrouble(f"the connection to {place} broke ({error})") from error


def _checked(response: httpx.Response) -> httpx.Response:
    """Raises `CameraTrouble` when it is no stream of pictures."""
    status, kind = response.status_code, response.headers.get("content-type", "").split(";")[0].strip().lower()
    if status != 200:
        raise CameraTrouble(f"it answers {status}: {_ADVICE.get(status, 'look into its own log')}")
    if kind.startswith("image/"):
        raise CameraTrouble("it answers with a single picture: take the address of its MJPEG stream, not of a snapshot")
    if kind.startswith(("text/", "application/json", "application/xml")):
        raise CameraTrouble(f"it answers with {kind}: take the address of its MJPEG stream, not of its page")
    return response


def _boundary(response: httpx.Response) -> str | None:
    found = _BOUNDARY.search(response.headers.get("content-type", ""))
    return (found[1] or found[2]) if found else None
