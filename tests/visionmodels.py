"""Small models whose answers can be foretold, in packages as the line loads them: fruit is what is yellow, defective is
what has dark spots."""

import hashlib
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edge.vision.models import package
from edge.vision.views import Image, Mask

BELT = (52, 70, 96)
SKIN = (235, 200, 40)
ROT = (60, 45, 25)

FINDER = """
schema = 1
kind = "finder"
name = "finder"
version = {version}
made = 2026-11-22
[input]
name = "image"
size = 160
[output]
name = "mask"
size = 80
[files.fp32]
file = "fp32.onnx"
sha256 = "{fp32}"
[files.int8]
file = "int8.onnx"
sha256 = "{int8}"
[thresholds]
mask_from = 0.5
min_area = 0.002
"""

CLASSIFIER = """
schema = 1
kind = "classifier"
name = "{name}"
version = {version}
made = 2026-11-22
[input]
name = "views"
size = 64
ground = [127, 127, 127]
margin = 0.06
[output]
name = "logit"
[files.fp32]
file = "fp32.onnx"
sha256 = "{fp32}"
[files.int8]
file = "int8.onnx"
sha256 = "{int8}"
[calibration]
slope = 1.0
intercept = 0.0
[thresholds]
good_below = 0.3
defective_from = 0.7
[statistics.score]
edges = [0.02, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.98]
shares = [0.6, 0.1, 0.02, 0.01, 0.01, 0.01, 0.01, 0.02, 0.02, 0.2]
[statistics.brightness]
edges = [90, 100, 110, 120, 140, 150, 160, 180, 220]
shares = [0.01, 0.04, 0.1, 0.1, 0.25, 0.25, 0.1, 0.1, 0.04, 0.01]
[statistics.mask_area]
edges = [0.7, 0.72, 0.74, 0.76, 0.78, 0.79, 0.8, 0.82, 0.85]
shares = [0.01, 0.04, 0.1, 0.1, 0.25, 0.25, 0.1, 0.1, 0.04, 0.01]
[statistics.warmth]
edges = [40, 60, 80, 100, 120, 140, 160, 180, 220]
shares = [0.01, 0.04, 0.1, 0.1, 0.25, 0.25, 0.1, 0.1, 0.04, 0.01]
"""


def packages(root: Path, *, crop: str = "lemon", versions: tuple[int, ...] = (1,)) -> Path:
    """A finder and a crop's classifiers under `root`."""
    write(root / "finder" / "1", FINDER, yellow())
    for version in versions:
        write(root / crop / str(version), CLASSIFIER, spotted())
    return root


def shipped(root: Path, moved: Mapping[int, float]) -> Path:
    """The finder that comes with Truecount, and the lemons' model under these versions, its logits moved by so much."""
    shutil.copytree(package.folder_of(package.SHIPPED, package.FINDER), root / package.FINDER / "1")
    for version, by in moved.items():
        folder = root / "lemon" / str(version)
        shutil.copytree(package.folder_of(package.SHIPPED, "lemon"), folder)
        edit(folder, r"^version = .*$", f"version = {version}")
        move(folder, by)
    return root


def move(folder: Path, by: float) -> None:
    """The logits of a classifier's package, by its calibration: above 0 more fruit is defective."""
    manifest = (folder / "manifest.toml").read_text(encoding="utf-8")
    found = re.search(r"^intercept = (.*)$", manifest, re.MULTILINE)
    assert found is not None
    edit(folder, r"^intercept = .*$", f"intercept = {float(found[1]) + by}")


def edit(folder: Path, line: str, put: str) -> None:
    """One line of a manifest."""
    manifest = folder / "manifest.toml"
    changed, count = re.subn(line, put, manifest.read_text(encoding="utf-8"), count=1, flags=re.MULTILINE)
    assert count == 1
    manifest.write_text(changed, encoding="utf-8")


def write(folder: Path, manifest: str, graph: onnx.ModelProto) -> Path:
    """One package of this graph for both backends; its folder."""
    folder.mkdir(parents=True)
    hashes = {}
    for backend in ("fp32", "int8"):
        graph.doc_string = backend
        data = graph.SerializeToString()
        (folder / f"{backend}.onnx").write_bytes(data)
        hashes[backend] = hashlib.sha256(data).hexdigest()
    told = manifest.format(name=folder.parent.name, version=int(folder.name), **hashes)
    (folder / "manifest.toml").write_text(told)
    return folder


def yellow(size: int = 160, out: int = 80) -> onnx.ModelProto:
    """A finder: 1 where red is at least 60 above blue."""
    nodes = [
        helper.make_node("Cast", ["image"], ["colours"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["colours"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node(
            "AveragePool", ["planes"], ["coarse"], kernel_shape=[size // out] * 2, strides=[size // out] * 2
        ),
        helper.make_node("Gather", ["coarse", "red"], ["reds"], axis=1),
        helper.make_node("Gather", ["coarse", "blue"], ["blues"], axis=1),
        helper.make_node("Sub", ["reds", "blues"], ["warmth"]),
        helper.make_node("Sub", ["warmth", "level"], ["above"]),
        helper.make_node("Div", ["above", "width"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["mask"]),
    ]
    constants = {"red": np.int64(0), "blue": np.int64(2), "level": np.float32(60), "width": np.float32(8)}
    return _model(nodes, constants, ("image", [size, size, 3]), ("mask", [out, out]))


def spotted(size: int = 64) -> onnx.ModelProto:
    """A classifier: above 0 where more than 4 % of the view is dark."""
    nodes = [
        helper.make_node("Cast", ["views"], ["colours"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["colours"], ["grey"], axes=[3], keepdims=0),
        helper.make_node("Less", ["grey", "dark"], ["is_dark"]),
        helper.make_node("Cast", ["is_dark"], ["spots"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["spots"], ["share"], axes=[1, 2], keepdims=0),
        helper.make_node("Sub", ["share", "allowed"], ["above"]),
        helper.make_node("Div", ["above", "width"], ["logit"]),
    ]
    constants = {"dark": np.float32(80), "allowed": np.float32(0.04), "width": np.float32(0.01)}
    return _model(nodes, constants, ("views", [size, size, 3]), ("logit", []))


def _model(
    nodes: list[onnx.NodeProto],
    constants: dict[str, np.generic],
    inward: tuple[str, list[int]],
    out: tuple[str, list[int]],
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info(inward[0], TensorProto.UINT8, ["N", *inward[1]])],
        [helper.make_tensor_value_info(out[0], TensorProto.FLOAT, ["N", *out[1]])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def belt(width: int = 640, height: int = 360) -> Image:
    """An empty belt."""
    return np.full((height, width, 3), BELT, np.uint8)


def lay(image: Image, middle: tuple[int, int], axes: tuple[int, int], *, angle: float = 0.0, spots: int = 0) -> Mask:
    """Puts a fruit onto the belt; the mask of it. `axes` are its half lengths in pixels."""
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.ellipse(mask, middle, axes, angle, 0, 360, 255, cv2.FILLED)
    image[mask > 0] = SKIN
    for n in range(spots):
        at = middle[0] + (n % 3 - 1) * axes[0] // 2, middle[1] + (n // 3) * axes[1] // 3
        cv2.circle(image, at, axes[1] // 5, ROT, cv2.FILLED)
    return mask


def jpeg(image: Image, quality: int = 90) -> bytes:
    """As a camera sends it."""
    return cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def overlap(one: Mask, other: Mask) -> float:
    """Intersection over union."""
    return np.count_nonzero(one & other) / np.count_nonzero(one | other)
