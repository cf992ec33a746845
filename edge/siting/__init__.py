"""The survey of a door: what its antennas hear while nothing moves, and which settings follow from it. Pure rules."""
