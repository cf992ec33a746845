r"""InfluxDB's line protocol (docs.influxdata.com, "Line protocol reference"), ours because it must be fast.

    door_pass,door=dock-1,site=north units=12i,confidence=0.97,body="{\"kind\":\"door_pass\"}" 1790000000000000000
    |         |                      |                                                         +-- nanoseconds
    |         |                      +-- fields: 1.5 float, 1i integer, "text", True
    |         +-- tags, in order of their keys
    +-- measurement

In a quoted text only `"` and `\` are special, and any text can be kept. A tag cannot hold a line break, and a backslash
in it has no escape of its own: these few characters, and `%` itself, are percent-encoded there (RFC 3986, section 2.1),
so that a name comes back as it went.
"""

import re
from collections.abc import Iterable
from urllib.parse import unquote

from gateway.history.words import Point, Tags

MAX_KNOWN = 100_000
"""Series whose text is remembered; beyond it all are forgotten and learnt anew."""

_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\%]")
_KEY = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ "})
_MEASUREMENT = str.maketrans({",": r"\,", " ": r"\ ", "#": "%23"})  # a line that begins with # is a comment

_Shape = tuple[object, ...]
"""The names of fields, then their types."""
_FORMATS = {float: "%s=%%r", int: "%s=%%di", str: '%s="%%s"', bool: "%s=%%s"}


def tag_text(value: str) -> str:
    """A tag's value as it stands in InfluxDB, not yet escaped for a line."""
    return _UNSAFE.sub(lambda match: f"%{ord(match[0]):02X}", value)


def tag_value(text: str) -> str:
    """What `tag_text` was made of."""
    return unquote(text) if "%" in text else text


class Lines:
    """Serialises points. It remembers series and the shapes of fields, of which a site has few."""

    def __init__(self) -> None:
        self._series: dict[tuple[str, Tags], str] = {}
        self._shapes: dict[_Shape, tuple[str, tuple[int, ...]]] = {}

    def encode(self, points: Iterable[Point]) -> bytes:
        """One line a point, in their order. Points must be as `Point` says: a server refuses others."""
        lines: list[str] = []
        append, series, shapes = lines.append, self._series.get, self._shapes.get
        for point in points:
            fields = point.fields
            values = [*fields.values()]
            shape = (*fields, *map(type, values))
            form, texts = shapes(shape) or self._learn_shape(shape)
            for i in texts:  # in a quoted text
                text: str = values[i]  # type: ignore[assignment]  # the shape says so
                if '"' in text or "\\" in text:
                    values[i] = text.replace("\\", "\\\\").replace('"', '\\"')
            key = (point.measurement, point.tags)
            append((series(key) or self._learn_series(key)) + form % (*values, point.at_ns))
        return "\n".join(lines).encode()

    def _learn_series(self, key: tuple[str, Tags]) -> str:
        if len(self._series) >= MAX_KNOWN:
            self._series.clear()
        measurement, tags = key
        parts = [tag_text(measurement).translate(_MEASUREMENT)]
        parts += [f"{tag_text(k).translate(_KEY)}={tag_text(v).translate(_KEY)}" for k, v in tags]
        text = self._series[key] = ",".join(parts) + " "
        return text

    def _learn_shape(self, shape: _Shape) -> tuple[str, tuple[int, ...]]:
        if len(self._shapes) >= MAX_KNOWN:
            self._shapes.clear()
        names, types = shape[: len(shape) // 2], shape[len(shape) // 2 :]
        forms = [
            _FORMATS[t] % tag_text(str(n)).translate(_KEY).replace("%", "%%")  # type: ignore[index]  # a type
            for n, t in zip(names, types, strict=True)
        ]
        texts = tuple(i for i, t in enumerate(types) if t is str)
        learnt = self._shapes[shape] = (",".join(forms) + " %d", texts)
        return learnt
