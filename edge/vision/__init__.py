"""Cameras over a sorting line: fruit found, followed, judged, and told to the reject gate before it gets there."""
