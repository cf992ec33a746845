"""Training, evaluation and export of the vision models."""

import edge.vision.models  # noqa: F401 (before onnxruntime, which it keeps from telling what is done here)
