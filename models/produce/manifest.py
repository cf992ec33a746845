"""manifest.toml beside each model's ONNX files: what goes in, what comes out, how to read it, and the files' hashes."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Value: TypeAlias = str | int | float | date | Sequence[int] | Sequence[float]
Table: TypeAlias = Mapping[str, "Value | Table"]

Numbers = NDArray[np.float64]

BINS = 10


def write(folder: Path, content: Table) -> None:
    """Writes `content` as folder/manifest.toml, with a [files] table of the ONNX files that lie there."""
    files = {path.stem: {"file": path.name, "sha256": sha256(path)} for path in sorted(folder.glob("*.onnx"))}
    (folder / "manifest.toml").write_text(toml({**content, "files": files}))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def toml(table: Table, under: str = "") -> str:
    """The table as TOML: plain values first, then tables. Floats with six digits."""
    plain = [f"{key} = {_value(value)}\n" for key, value in table.items() if not isinstance(value, Mapping)]
    parts = []
    for key, value in table.items():
        if isinstance(value, Mapping):
            name = f"{under}.{key}" if under else key
            headed = any(not isinstance(inner, Mapping) for inner in value.values())
            parts.append((f"\n[{name}]\n" if headed else "") + toml(value, name))
    return "".join([*plain, *parts])


def _value(value: Value) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, float):
        return f"{value:.6g}" if "." in f"{value:.6g}" or "e" in f"{value:.6g}" else f"{value:.1f}"
    if isinstance(value, int | date):
        return str(value)
    return "[" + ", ".join(_value(one) for one in value) + "]"


def histogram(values: Numbers) -> dict[str, list[float]]:
    """Nine edges at the deciles, and the share of the values below, between and above them. Edges always rise."""
    edges = np.quantile(values, np.arange(1, BINS) / BINS)
    return _shared(values, np.maximum.accumulate(edges + np.arange(BINS - 1) * max(1e-6, np.ptp(values) * 1e-5)))


def bounded(values: Numbers, below: float = 20, above: float = 40) -> dict[str, list[float]]:
    """The same, but the first and last edge are limits beyond which no value lay, nor a little further."""
    inner = np.quantile(values, np.arange(1, BINS - 2) / (BINS - 2))
    return _shared(values, np.array([values.min() - below, *inner[:-1], values.max() + above]))


def _shared(values: Numbers, edges: Numbers) -> dict[str, list[float]]:
    rounded = np.array([float(f"{edge:.6g}") for edge in edges])
    counts = np.bincount(np.searchsorted(rounded, values, side="right"), minlength=len(rounded) + 1)
    return {"edges": rounded.tolist(), "shares": [round(float(count), 5) for count in counts / counts.sum()]}
