"""Scenes at two neighbouring doors, played faster than real time: what readers and photo-eyes say, and what is true."""
