"""A model's package is believed only when every byte and the shape of the graph are as its manifest says."""

import hashlib
import re
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from visionmodels import CLASSIFIER, FINDER, packages, spotted, write, yellow

from edge.errors import BadModel
from edge.vision.models import package
from edge.vision.models.classifier import Classifier
from edge.vision.models.finder import Finder
from edge.vision.models.manifest import ClassifierManifest, Manifest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return packages(tmp_path, versions=(1, 2, 10))


def test_a_package_has_an_identity_that_names_its_very_bytes(root: Path) -> None:
    for backend in ("int8", "fp32"):
        loaded = package.load(root / "lemon" / "2", backend)
        digest = hashlib.sha256((root / "lemon" / "2" / f"{backend}.onnx").read_bytes()).hexdigest()
        assert loaded.identity == f"lemon-2-{backend}-{digest[:8]}"


def test_it_takes_any_number_of_images(root: Path) -> None:
    loaded = package.load(root / "finder" / "1")
    for count in (1, 2, 7, 1):
        assert loaded.run(np.zeros((count, 160, 160, 3), np.uint8)).shape == (count, 80, 80)


def test_what_is_there_is_told_by_name_and_version(root: Path) -> None:
    (root / "lemon" / "draft").mkdir()
    (root / "lemon" / "3").mkdir()
    (root / "README.md").write_text("models")
    assert package.packages(root) == {"finder": [1], "lemon": [1, 2, 10]}
    assert package.folder_of(root, "lemon") == root / "lemon" / "10"
    assert package.folder_of(root, "lemon", 1) == root / "lemon" / "1"
    assert package.packages(root / "nowhere") == {}


def test_what_is_not_there_is_told_with_what_is(root: Path) -> None:
    with pytest.raises(BadModel, match="no model for 'pear': there are lemon"):
        package.folder_of(root, "pear")
    with pytest.raises(BadModel, match="no version 3: there are 1, 2, 10"):
        package.folder_of(root, "lemon", 3)
    with pytest.raises(BadModel, match=r"there are none"):
        package.folder_of(root / "nowhere", "lemon")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), by=st.integers(1, 255))
def test_one_changed_byte_is_refused(root: Path, place: float, by: int) -> None:
    path = root / "lemon" / "1" / "int8.onnx"
    data = bytearray(path.read_bytes())
    at = int(place * len(data))
    data[at] ^= by
    path.write_bytes(data)
    with pytest.raises(BadModel, match=r"lemon/1/int8\.onnx: .* cut off or changed; put the package there again"):
        package.load(root / "lemon" / "1")
    data[at] ^= by
    path.write_bytes(data)


def test_a_file_that_is_cut_off_empty_or_missing_is_refused(root: Path) -> None:
    path = root / "lemon" / "1" / "int8.onnx"
    data = path.read_bytes()
    for shorter in (data[:-1], data[: len(data) // 2], b""):
        path.write_bytes(shorter)
        with pytest.raises(BadModel, match="cut off or changed"):
            package.load(root / "lemon" / "1")
    path.unlink()
    with pytest.raises(BadModel, match=r"int8\.onnx: cannot be read: No such file"):
        package.load(root / "lemon" / "1")
    assert package.load(root / "lemon" / "1", "fp32").identity.startswith("lemon-1-fp32-")


@pytest.mark.parametrize(
    ("manifest", "graph", "words"),
    [
        (FINDER, yellow(size=128), r"its input image is tensor\(uint8\) \['N', 128, 128, 3\], not .* 160"),
        (FINDER, yellow(out=40), r"its output mask is .* 40, 40\], not .* 80, 80\]"),
        (FINDER, spotted(), "its input is views, not image"),
        (CLASSIFIER, spotted(size=32), r"its input views is .* 32, 32, 3\], not .* 64, 64, 3\]"),
        (CLASSIFIER, yellow(), "its input is image, not views"),
    ],
)
def test_a_graph_of_another_shape_is_refused(tmp_path: Path, manifest: str, graph: onnx.ModelProto, words: str) -> None:
    name = "finder" if manifest is FINDER else "lemon"
    with pytest.raises(BadModel, match=words):
        package.load(write(tmp_path / name / "1", manifest, graph))


def test_a_graph_for_one_image_only_is_refused(tmp_path: Path) -> None:
    graph = spotted()
    graph.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    graph.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 1
    with pytest.raises(BadModel, match=r"\[1, 64, 64, 3\], not .*'N', 64"):
        package.load(write(tmp_path / "lemon" / "1", CLASSIFIER, graph))


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_a_graph_that_says_any_number_of_images_and_runs_on_one_number_only_is_refused(
    tmp_path: Path, count: int
) -> None:
    graph = spotted()
    graph.graph.node[-1].output[0] = "unshaped"
    graph.graph.node.extend(
        [  # so that nobody sees from outside that the shape is always the same
            onnx.helper.make_node("ReduceMax", ["unshaped"], ["some"], keepdims=0),
            onnx.helper.make_node("Mul", ["some", "zero"], ["nothing"]),
            onnx.helper.make_node("Cast", ["nothing"], ["none"], to=onnx.TensorProto.INT64),
            onnx.helper.make_node("Add", ["none", "count"], ["shape"]),
            onnx.helper.make_node("Reshape", ["unshaped", "shape"], ["logit"]),
        ]
    )
    for name, value in {"count": np.array([count]), "zero": np.array(0, np.float32)}.items():
        graph.graph.initializer.append(onnx.numpy_helper.from_array(value, name))
    with pytest.raises(BadModel, match=r"does not run on [13] images"):
        package.load(write(tmp_path / "lemon" / "1", CLASSIFIER, graph))


def test_a_graph_that_gives_no_numbers_is_refused(tmp_path: Path) -> None:
    graph = spotted()
    (width,) = (one for one in graph.graph.initializer if one.name == "width")
    width.CopyFrom(onnx.numpy_helper.from_array(np.float32("nan"), "width"))
    with pytest.raises(BadModel, match="of finite numbers"):
        package.load(write(tmp_path / "lemon" / "1", CLASSIFIER, graph))


def test_bytes_that_are_no_graph_are_refused_though_their_hash_is_right(root: Path) -> None:
    folder = root / "lemon" / "1"
    manifest = (folder / "manifest.toml").read_text()
    for data in (b"no model", b"", b"\x00" * 1000):
        (folder / "int8.onnx").write_bytes(data)
        right = re.sub(r'(int8\.onnx"\nsha256 = )"\w+"', rf'\1"{hashlib.sha256(data).hexdigest()}"', manifest)
        (folder / "manifest.toml").write_text(right)
        with pytest.raises(BadModel, match=r"int8\.onnx: (no model that onnxruntime can run|its input)"):
            package.load(folder)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("schema = 1", "schema = 2", r"manifest\.toml: .*schema"),
        ('kind = "classifier"', 'kind = "chooser"', r"manifest\.toml: .*chooser"),
        ("made = 2026-11-22\n", "", "made"),
        ("made = 2026-11-22", "made = 2026-11-22\ncolour = 3", "colour"),
        ("good_below = 0.3", "good_below = 0.9", r"good_below \(0.9\) is above defective_from \(0.7\)"),
        ("good_below = 0.3", "good_below = nan", r"good_below"),
        ("slope = 1.0", "slope = -1.0", "slope"),
        ("[0.6, 0.1, 0.02,", "[0.9, 0.1, 0.02,", "the shares sum to 1.300"),
        ("edges = [0.02, 0.1,", "edges = [0.1,", "8 edges make 9 bins, not 10"),
        ("edges = [0.02, 0.1,", "edges = [0.1, 0.02,", "the edges do not rise"),
        ('file = "int8.onnx"', 'file = "../1/int8.onnx"', "file"),
        ("size = 64", "size = 640000", "size"),
        ("[calibration]", "[calibration", r"manifest\.toml: "),
    ],
)
def test_a_manifest_with_a_mistake_is_refused_with_its_key(root: Path, old: str, new: str, words: str) -> None:
    path = root / "lemon" / "1" / "manifest.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(BadModel, match=words):
        package.load(root / "lemon" / "1")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), put=st.binary(max_size=8))
def test_a_manifest_with_other_bytes_is_read_or_refused(root: Path, place: float, put: bytes) -> None:
    path = root / "lemon" / "2" / "manifest.toml"
    before = path.read_bytes()
    at = int(place * len(before))
    path.write_bytes(before[:at] + put + before[at + len(put) :])
    try:
        told = outcome(root / "lemon" / "2")
    finally:
        path.write_bytes(before)
    assert isinstance(told, ClassifierManifest) or str(root) in told


def outcome(folder: Path) -> Manifest | str:
    """What loading a package comes to: its manifest, or the error's words."""
    try:
        return package.load(folder).manifest
    except BadModel as error:
        return str(error)


def test_a_package_in_the_wrong_place_is_refused(root: Path) -> None:
    shutil.copytree(root / "lemon" / "1", root / "tomato" / "1")
    with pytest.raises(BadModel, match="is of lemon 1, and lies in tomato/1"):
        package.load(root / "tomato" / "1")
    with pytest.raises(BadModel, match="no classifier"):
        Classifier(package.load(root / "finder" / "1"))
    with pytest.raises(BadModel, match="no finder"):
        Finder(package.load(root / "lemon" / "1"))


@pytest.mark.parametrize("backend", ["int8", "fp32"])
@pytest.mark.parametrize("name", ["finder", "lemon", "tomato"])
def test_the_shipped_packages_load(name: str, backend: package.Backend) -> None:
    loaded = package.load(package.folder_of(package.SHIPPED, name), backend)
    assert loaded.identity.startswith(f"{name}-")
