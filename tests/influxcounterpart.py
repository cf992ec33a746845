"""A protocol counterpart of InfluxDB 2.x and 3: a small HTTP server of our own that takes line protocol at `/write`
and answers as their documentation says. No InfluxDB: it shows what we do with such answers, not that they are given.

Its one schema: a field called `value` is a float. Anything else there is a type conflict, and a line without a field
cannot be parsed.
"""

import gzip
import json
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, NamedTuple

Dialect = Literal["2", "3", "3 whole"]
"""`3 whole`: partial writes are not accepted."""
_CONFLICT = re.compile(r'[ ,]value=["\dtfTF][^, ]*')
_FLOAT = re.compile(r"[ ,]value=-?[\d.]+(e[+-]?\d+)?(?=[, ])")


class _Bad(NamedTuple):
    number: int
    line: str
    conflict: bool

    @property
    def reason(self) -> str:
        expected = "expected iox::column_type::field::float, got iox::column_type::field::string"
        return f"invalid column type for column 'value', {expected}" if self.conflict else "No fields were provided"


class Counterpart:
    """The server: what it has kept, how often it was written to, and what it answers instead if told so."""

    def __init__(self, dialect: Dialect) -> None:
        self.kept: dict[str, None] = {}
        self.writes = 0
        self.instead: tuple[int, str] | Literal["silence"] | None = None
        """A status and a text, or no answer at all."""
        self._dialect = dialect
        self._released = threading.Event()
        counterpart = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                written = self.path.startswith("/write")
                answer = counterpart.answered(body) if written else (200, '{"results":[{}]}')
                if answer is not None:
                    self._send(*answer)

            def do_GET(self) -> None:
                self._send(200, '{"results":[{}]}')

            def _send(self, status: int, text: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def serving(self) -> Iterator["Counterpart"]:
        """Serves while the block lasts."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield self
        finally:
            self._released.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def answered(self, body: bytes) -> tuple[int, str] | None:
        """The status and text for one write."""
        self.writes += 1
        if self.instead == "silence":
            self._released.wait(20)
            return None
        if self.instead is not None:
            return self.instead
        lines = gzip.decompress(body).decode().split("\n")
        bad = [_Bad(n, line, conflict) for n, line in enumerate(lines, 1) if (conflict := _flaw(line)) is not None]
        whole = self._dialect == "3 whole" or (self._dialect == "2" and any(not one.conflict for one in bad))
        if not (bad and whole):
            self.kept |= dict.fromkeys(line for n, line in enumerate(lines, 1) if n not in {one.number for one in bad})
        if not bad:
            return 204, ""
        return self._two(bad) if self._dialect == "2" else self._three(bad)

    def _two(self, bad: Sequence[_Bad]) -> tuple[int, str]:
        for one in bad:
            if not one.conflict:
                text = f"unable to parse '{one.line}': missing fields"
                return 400, json.dumps({"code": "invalid", "message": text, "line": one.number})
        conflict = 'input field "value" on measurement "condition" is type string, already exists as type float'
        text = f"failure writing points to database: partial write: field type conflict: {conflict} dropped={len(bad)}"
        return 422, json.dumps({"code": "unprocessable entity", "message": text})

    def _three(self, bad: Sequence[_Bad]) -> tuple[int, str]:
        said = [
            {"original_line": one.line.replace('"', ""), "line_number": one.number, "error_message": one.reason}
            for one in bad
        ]
        if self._dialect == "3 whole":
            return 400, json.dumps({"error": "parsing failed for write_lp endpoint", "data": said[0]})
        return 400, json.dumps({"error": "partial write of line protocol occurred", "data": said[:100]})


def _flaw(line: str) -> bool | None:
    """True for a conflict, False for a line without fields, None for a good one."""
    if re.search(r"[^\\]  ?\d+$", line) is None or "=" not in line.rsplit(" ", 1)[0].partition(" ")[2]:
        return False
    return True if _CONFLICT.search(line) and not _FLOAT.search(line) else None
