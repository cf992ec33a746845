"""Carries documents to the gateway and the cloud, for as long as it takes."""

import asyncio
from collections.abc import Mapping
from random import Random
from typing import Literal

import httpx
import structlog

from firmware_sim.errors import Refused

log = structlog.get_logger()

FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 5.0
TIMEOUT_S = 10.0
"""What the client that is handed in should wait for an answer."""
_TRY_AGAIN = frozenset({408, 425, 429})


class Courier:
    """One sender. A server that is down, busy or failing is asked again for ever; one that refuses is believed."""

    def __init__(self, client: httpx.AsyncClient, seed: int) -> None:
        self._client = client
        self._random = Random(f"courier {seed}")

    async def get(self, url: str, params: Mapping[str, str]) -> bytes:
        """The body of a 2xx answer; raises `Refused`."""
        return await self._ask("GET", url, params=params)

    async def post(self, url: str, body: bytes, media_type: str) -> bytes:
        """The body of a 2xx answer; raises `Refused`. The document may have arrived more than once."""
        return await self._ask("POST", url, body=body, media_type=media_type)

    async def _ask(
        self,
        method: Literal["GET", "POST"],
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        media_type: str | None = None,
    ) -> bytes:
        request = self._client.build_request(
            method, url, params=params, content=body, headers={"content-type": media_type} if media_type else None
        )
        wait_s, in_trouble = FIRST_WAIT_S, False
        while True:
            answer = await self._try(request)
            if isinstance(answer, bytes):
                if in_trouble:
                    log.info("server answers again", url=url)
                return answer
            if not in_trouble:
                log.warning("server does not answer, trying on", url=url, reason=answer)
            in_trouble = True
            await asyncio.sleep(wait_s * self._random.uniform(0.5, 1.0))
            wait_s = min(LONGEST_WAIT_S, 2 * wait_s)

    async def _try(self, request: httpx.Request) -> bytes | str:
        """The body of the answer, or in words why it is worth asking again."""
        try:
            response = await self._client.send(request)
        except httpx.TransportError as error:
            return f"{type(error).__name__}: {error}"
        if response.is_success:
            return response.content
        if response.is_server_error or response.status_code in _TRY_AGAIN:
            return f"status {response.status_code}"
        raise Refused(str(request.url), response.status_code, response.text)
