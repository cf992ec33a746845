"""A trained network as a package: fp32.onnx, checked against torch; int8.onnx; manifest.toml.

int8 is onnxruntime's static quantisation (QDQ, per channel), its ranges taken from pictures like those of training.
"""

import copy
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]
import torch
from numpy.typing import NDArray
from onnxruntime import quantization
from onnxruntime.quantization.shape_inference import quant_pre_process  # type: ignore[import-untyped]
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from models.produce import manifest
from models.produce.errors import ModelsError
from models.produce.learned import Learned

PARITY = 1e-5
OPSET = 17
KEPT = ("Cast", "Transpose", "Sub", "Div", "ReduceMax", "Gemm", "Sigmoid")
"""Operations that stay in fp32: what comes in is whole numbers already, and the last step costs nothing."""
KEPT_PARTS = ("/trunk/stem/", "/trunk/blocks.0/")
"""Layers that do, too: their large weights nearly cancel, which was most of what int8 got wrong."""
OUT = Path(__file__).parent


def export(learned: Learned, out: Path) -> str:
    """Writes out/<name>/<version>/, whole or not at all, and tells about it.

    What lies there is replaced. Raises ModelsError if ONNX gives other numbers than torch.
    """
    folder = out / learned.name / str(learned.manifest["version"])
    unready = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(unready, ignore_errors=True)
    unready.mkdir(parents=True)
    try:
        apart = _write(learned, unready)
        put_in_place(unready, folder)
    finally:
        shutil.rmtree(unready, ignore_errors=True)
    sizes = ", ".join(f"{path.name} {path.stat().st_size / 1e6:.2f} MB" for path in sorted(folder.glob("*.onnx")))
    return f"{folder}: {sizes}; torch and fp32.onnx at most {apart:.1e} apart"


def put_in_place(new: Path, folder: Path) -> None:
    """What lies in `folder` is replaced by `new`, and deleted only then. Raises OSError, and the old is back.

    Killed between the two renames it leaves the old as N.old, beside the new.
    """
    old = folder.with_name(f"{folder.name}.old")
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)
        folder.replace(old)
    try:
        new.replace(folder)
    except OSError:
        if old.exists():
            old.replace(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _write(learned: Learned, folder: Path) -> float:
    """All files of the package; how far apart ONNX and torch are."""
    net = learned.net.eval()
    _write_fp32(_folded(net), folder / "fp32.onnx", learned.shown[:1], *_ends(learned.name))
    apart = _apart(net, folder / "fp32.onnx", learned.shown[:32])
    if apart > PARITY:
        raise ModelsError(
            f"{learned.name}: the ONNX file gives other numbers than torch: {apart:.1e} apart, {PARITY} allowed"
        )
    _write_int8(folder, learned.shown, _ends(learned.name)[0])
    manifest.write(folder, learned.manifest)
    return apart


def _ends(name: str) -> tuple[str, str]:
    return ("image", "mask") if name == "finder" else ("views", "logit")


def _folded(net: nn.Module) -> nn.Module:
    """The net with its norms worked into the convolutions before them: in double, so that a weight is rounded once."""
    folded = copy.deepcopy(net).double()
    for part in [part for part in folded.modules() if isinstance(part, nn.Sequential)]:
        for n, (first, second) in enumerate(pairwise(list(part))):
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                part[n], part[n + 1] = fuse_conv_bn_eval(first, second), nn.Identity()
    return folded.float()


def _write_fp32(net: nn.Module, path: Path, shown: NDArray[np.uint8], inward: str, outward: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # The exporter that needs no further package calls itself old.
        torch.onnx.export(
            net,
            (torch.from_numpy(shown),),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=[inward],
            output_names=[outward],
            dynamic_axes={inward: {0: "n"}, outward: {0: "n"}},
        )
    model = onnx.load(path)
    onnx.checker.check_model(model)
    model.doc_string = ""
    onnx.save(model, path)


def _apart(net: nn.Module, path: Path, shown: NDArray[np.uint8]) -> float:
    """The largest difference of the file from torch in double precision, relative where numbers are above 1.

    Double, because two programs that both round to single differ by the sum of their errors.
    """
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    with torch.no_grad():
        wanted = copy.deepcopy(net).double()(torch.from_numpy(shown)).numpy()
    got = session.run(None, {session.get_inputs()[0].name: shown})[0]
    return float(np.max(np.abs(got - wanted) / np.maximum(1, np.abs(wanted))))


class _Shown(quantization.CalibrationDataReader):
    def __init__(self, name: str, shown: NDArray[np.uint8]) -> None:
        self._batches: Iterator[dict[str, NDArray[np.uint8]]] = iter(
            [{name: shown[n : n + 16]} for n in range(0, len(shown), 16)]
        )

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        return next(self._batches, None)


def _write_int8(folder: Path, shown: NDArray[np.uint8], inward: str) -> None:
    with tempfile.TemporaryDirectory() as aside:
        prepared = Path(aside) / "prepared.onnx"
        quant_pre_process(folder / "fp32.onnx", prepared, skip_symbolic_shape=True)
        nodes = onnx.load(prepared).graph.node
        kept = [node.name for node in nodes if node.op_type in KEPT or node.name.startswith(KEPT_PARTS)]
        quantization.quantize_static(
            prepared,
            folder / "int8.onnx",
            _Shown(inward, shown),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            calibrate_method=quantization.CalibrationMethod.MinMax,
            nodes_to_exclude=kept,
        )
