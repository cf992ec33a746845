"""A model's package: a folder with a manifest and ONNX files, checked before it is believed.

ROOT/lemon/1/manifest.toml   what it takes and gives, thresholds, SHA-256 of the files
             fp32.onnx
             int8.onnx
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, get_args

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort  # type: ignore[import-untyped]

from edge.errors import BadModel
from edge.vision.models import manifest as manifests
from edge.vision.models.manifest import Backend, FinderManifest, Manifest

SHIPPED: Final = Path(__file__).resolve().parents[3] / "models" / "produce"
"""The packages that come with Truecount."""
FINDER: Final = "finder"
BACKENDS: Final[tuple[Backend, ...]] = get_args(Backend)
MAX_BYTES: Final = 200 * 10**6
_TRIED: Final = (1, 3)
"""Images at once, for a try: a graph that was made for one number of them fails with one of these."""

_ORT_ERRORS: Final = (
    *(ort.Fail, ort.EPFail, ort.EngineError, ort.RuntimeException, ort.NotImplemented),
    *(ort.InvalidArgument, ort.InvalidGraph, ort.InvalidProtobuf, ort.NoModel, ort.NotFound, ort.NoSuchFile),
    *(RuntimeError, ValueError),
)
"""onnxruntime's errors have no base but Exception."""


class Package:
    """A model that is what its manifest says, ready to run on one thread. `load` makes it."""

    def __init__(
        self, manifest: Manifest, backend: Backend, sha256: str, session: onnxruntime.InferenceSession
    ) -> None:
        self.manifest = manifest
        self.identity = f"{manifest.name}-{manifest.version}-{backend}-{sha256[:8]}"
        """NAME-VERSION-BACKEND-HASH."""
        self._session = session

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 [N,S,S,3] RGB, N >= 1, to float32 [N] or [N,S',S']."""
        (found,) = self._session.run([self.manifest.output.name], {self.manifest.input.name: images})
        return np.asarray(found, np.float32)


def load(folder: Path, backend: Backend = "int8") -> Package:
    """The package in a folder, on one of its backends. Raises BadModel for whatever is not as the manifest says."""
    manifest = manifests.read(folder / "manifest.toml")
    if (manifest.name, str(manifest.version)) != (folder.absolute().parent.name, folder.absolute().name):
        place = "/".join(folder.absolute().parts[-2:])
        raise BadModel(
            f"{folder / 'manifest.toml'}: is of {manifest.name} {manifest.version}, and lies in {place}: move it"
        )
    if backend not in manifest.files:
        raise BadModel(f"{folder / 'manifest.toml'}: has no {backend} file: there are {', '.join(manifest.files)}")
    path = folder / manifest.files[backend].file
    data = _checked(path, manifest.files[backend].sha256)
    session = _session(path, data)
    package = Package(manifest, backend, manifest.files[backend].sha256, session)
    _check_ends(path, session, manifest)
    _check_run(path, package)
    return package


def packages(root: Path) -> Mapping[str, list[int]]:
    """The versions of each package under a folder, rising. Folders without a manifest are none."""
    found: dict[str, list[int]] = {}
    for path in sorted(root.glob("*/*/manifest.toml")):
        version = path.parent.name
        if version.isascii() and version.isdigit():
            found.setdefault(path.parent.parent.name, []).append(int(version))
    return {name: sorted(versions) for name, versions in found.items()}


def folder_of(root: Path, name: str, version: int | None = None) -> Path:
    """Where a package lies; by default its highest version. Raises BadModel, which says which there are."""
    found = packages(root)
    if name not in found:
        others = ", ".join(sorted(set(found) - {FINDER})) or "none"
        raise BadModel(f"{root}: no model for {name!r}: there are {others}")
    if version is not None and version not in found[name]:
        raise BadModel(f"{root / name}: no version {version}: there are {', '.join(map(str, found[name]))}")
    return root / name / str(version or found[name][-1])


def crop_folder(root: Path, crop: str, version: int | None = None) -> Path:
    """The same of a crop's model, which the finder is not."""
    crops = sorted(set(packages(root)) - {FINDER})
    if crop not in crops:
        raise BadModel(f"{root}: no crop {crop!r}: one of {', '.join(crops) or 'none'}")
    return folder_of(root, crop, version)


def finder_folder(root: Path) -> Path:
    """Where the finder for the models under a folder lies: the newest there, else the one shipped. Raises BadModel."""
    return folder_of(root if FINDER in packages(root) else SHIPPED, FINDER)


def _checked(path: Path, sha256: str) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadModel(f"{path}: cannot be read: {error.strerror}; put the package there again") from error
    if len(data) > MAX_BYTES:
        raise BadModel(f"{path}: more than {MAX_BYTES // 10**6} MB: no model of ours")
    if (found := hashlib.sha256(data).hexdigest()) != sha256:
        raise BadModel(
            f"{path}: its {len(data)} bytes have SHA-256 {found[:8]}..., the manifest says {sha256[:8]}...: "
            "cut off or changed; put the package there again"
        )
    return data


def _session(path: Path, data: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except _ORT_ERRORS as error:
        raise BadModel(f"{path}: no model that onnxruntime can run: {_first_line(error)}; export it again") from error


def _check_ends(path: Path, session: onnxruntime.InferenceSession, manifest: Manifest) -> None:
    """One input and one output, of the names, types and shapes that the manifest tells."""
    size = manifest.input.size
    ends = [
        ("input", session.get_inputs(), manifest.input.name, "tensor(uint8)", [size, size, 3]),
        ("output", session.get_outputs(), manifest.output.name, "tensor(float)", _shape_out(manifest)),
    ]
    for what, nodes, name, kind, shape in ends:
        if [node.name for node in nodes] != [name]:
            raise BadModel(
                f"{path}: its {what} is {', '.join(node.name for node in nodes)}, not {name}: export it again"
            )
        first, *rest = nodes[0].shape or [None]
        if nodes[0].type != kind or rest != shape or isinstance(first, int):
            told = f"{nodes[0].type} {nodes[0].shape}, not {kind} {['N', *shape]}"
            raise BadModel(f"{path}: its {what} {name} is {told}: export it again")


def _shape_out(manifest: Manifest) -> list[int]:
    """Of one image."""
    return [manifest.output.size] * 2 if isinstance(manifest, FinderManifest) else []


def _check_run(path: Path, package: Package) -> None:
    """Grey images go through, one and several: a graph may lie about its shapes. It also warms the session up."""
    size = package.manifest.input.size
    for count in _TRIED:
        expected = (count, *_shape_out(package.manifest))
        try:
            found = package.run(np.full((count, size, size, 3), 127, np.uint8))
        except _ORT_ERRORS as error:
            raise BadModel(f"{path}: does not run on {count} images: {_first_line(error)}; export it again") from error
        if found.shape != expected or not np.isfinite(found).all():
            told = f"gives {found.shape} of {count} images, not {expected} of finite numbers"
            raise BadModel(f"{path}: {told}: export it again")


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
