"""The side of a sorting line that the agent runs: no pixels, but time, places and verdicts."""
