"""Events to a partner's EPCIS repository: `POST {url}/capture` (EPCIS 2.0, section 12.6), a batch at a time.

    rows of the log -> batches of whole rows -> POST -> 202 Accepted (or 200, 201) -> the cursor moves
                                                         `-> Location: the capture job -> running ... success

What was sent twice has the same event ids, so it is the same. A repository that is away or busy is asked again, a
bounded number of times; one that finds a batch too large gets halves of it; one that refuses the events ends the work,
and the cursor stands before them. 202 says only that they will be looked at: where the answer names its capture job,
its end is waited for.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import httpx
import msgspec
from msgspec import Struct

from gateway.epcis.document import Told, document
from gateway.errors import CaptureFailed

MAX_EVENTS: Final = 500
MAX_BYTES: Final = 1_000_000
"""Of the events of a batch, as far as rows can be kept apart."""
ATTEMPTS: Final = 8
PAUSES_S: Final = (0.5, 30.0)
"""The first pause after a failure, which doubles, and the longest."""
_TIMEOUT_S: Final = 60.0
_HEADERS: Final = {
    "Content-Type": "application/ld+json",
    "GS1-EPCIS-Version": "2.0.0",
    "GS1-CBV-Version": "2.0.0",
    "GS1-Capture-Error-Behaviour": "rollback",
}
_TAKEN: Final = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED})
_PASSING: Final = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
"""Answers after which the same may succeed."""


class Batch(NamedTuple):
    """Events of the rows from `first` to `last`."""

    first: int
    last: int
    events: tuple[bytes, ...]


def batches(all_told: Iterable[Told]) -> Iterator[Batch]:
    """Whole rows together, up to the bounds; a row that is beyond them alone stays alone."""
    first, last, events, size = 0, 0, list[bytes](), 0
    for one in all_told:
        more = sum(map(len, one.events))
        if events and (len(events) + len(one.events) > MAX_EVENTS or size + more > MAX_BYTES):
            yield Batch(first, last, tuple(events))
            first, events, size = 0, [], 0
        first, last = first or one.row, one.row
        events += one.events
        size += more
    if first:
        yield Batch(first, last, tuple(events))


class Repository:
    """A partner's repository. Close it by `with`."""

    def __init__(
        self,
        url: str,
        clock: Callable[[], int],
        *,
        token: str | None = None,
        pauses_s: tuple[float, float] = PAUSES_S,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`url`: the base of its interface, before `/capture`; `token`: a bearer token."""
        self._url = f"{url.rstrip('/')}/capture"
        self._clock = clock
        self._pauses_s = pauses_s
        headers = _HEADERS | ({"Authorization": f"Bearer {token}"} if token else {})
        self._client = httpx.Client(headers=headers, timeout=_TIMEOUT_S, transport=transport)

    def __enter__(self) -> "Repository":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def capture(self, batch: Batch) -> None:
        """Hand over a batch; raises `CaptureFailed` where it was not taken. One without events is taken at once."""
        if not batch.events:
            return
        answer = self._post(batch)
        if answer.status_code in _TAKEN:
            self._wait(answer, batch)
            return
        if answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and len(batch.events) > 1:
            middle = len(batch.events) // 2
            self.capture(batch._replace(events=batch.events[:middle]))
            self.capture(batch._replace(events=batch.events[middle:]))
            return
        raise CaptureFailed(f"{self._what(batch)}: {_words(answer)}{_advice(answer)}")

    def _wait(self, answer: httpx.Response, batch: Batch) -> None:
        """Until its capture job has ended. One that is kept elsewhere, or that nobody can read, is not waited for."""
        said = answer.headers.get("location")
        at = answer.url.join(said) if said and answer.status_code == HTTPStatus.ACCEPTED else None
        if at is None or (at.scheme, at.netloc) != (answer.url.scheme, answer.url.netloc):
            return
        for checks in range(1, ATTEMPTS + 1):
            job = self._job(at)
            if job is None or (not job.running and job.success):
                return
            if not job.running:
                words = msgspec.json.encode(job.errors).decode()[:500]
                raise CaptureFailed(f"{self._what(batch)}: its capture job {at} failed: {words}")
            time.sleep(self._pause_s(checks))
        raise CaptureFailed(f"{self._what(batch)}: its capture job {at} has not ended. Send them again later")

    def _job(self, at: httpx.URL) -> "_Job | None":
        try:
            return msgspec.json.decode(self._client.get(at).raise_for_status().content, type=_Job)
        except (httpx.HTTPError, msgspec.DecodeError):
            return None

    def _post(self, batch: Batch) -> httpx.Response:
        """The answer to it; after a failure that may pass, it is asked again."""
        body = b"".join(document(batch.events, self._clock()))
        for failures in range(1, ATTEMPTS + 1):
            wait_s = self._pause_s(failures)
            try:
                answer = self._client.post(self._url, content=body)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                trouble = f"{type(error).__name__}: {error}"
                if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
                    raise CaptureFailed(f"{self._url}: {error}") from error
            else:
                if answer.status_code not in _PASSING:
                    return answer
                trouble = _words(answer)
                wait_s = max(wait_s, min(_asked_s(answer), self._pauses_s[1]))
            if failures < ATTEMPTS:
                time.sleep(wait_s)
        raise CaptureFailed(f"{self._what(batch)}: after {ATTEMPTS} attempts: {trouble}")

    def _pause_s(self, failures: int) -> float:
        first, longest = self._pauses_s
        return min(longest, first * 2.0 ** (failures - 1)) * random.uniform(0.5, 1)

    def _what(self, batch: Batch) -> str:
        return f"{self._url}: rows {batch.first} to {batch.last} of the log ({len(batch.events)} events) were not taken"


class _Job(Struct):
    """A capture job (EPCIS 2.0, section 12.6.1)."""

    running: bool
    success: bool
    errors: list[Any] = []


def _asked_s(answer: httpx.Response) -> float:
    """How long the repository asks us to wait."""
    said = answer.headers.get("retry-after", "")
    return float(said) if said.isascii() and said.isdigit() and len(said) < 6 else 0.0


def _words(answer: httpx.Response) -> str:
    """What it said, at most 500 characters."""
    return f"{answer.status_code} {answer.text.strip() or answer.reason_phrase}"[:500]


def _advice(answer: httpx.Response) -> str:
    match answer.status_code:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return " - is the token right? (TRUECOUNT_EPCIS_TOKEN)"
        case HTTPStatus.NOT_FOUND | HTTPStatus.METHOD_NOT_ALLOWED:
            return " - is that the base URL of an EPCIS 2.0 interface, without /capture?"
        case code if 300 <= code < 400:
            return f" - it is elsewhere: {answer.headers.get('location', 'it does not say where')}"
        case _:
            return ""
