"""Packages of models: what they must be, how they are run, how they are changed, when they no longer fit."""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
# onnxruntime else keeps a record of each session in the home folder, to be sent away. It looks here while it is loaded:
# its disable_telemetry_events() comes too late, when the first row is written.
