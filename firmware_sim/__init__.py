"""The simulated world and the devices in it. Imports nothing of ours, so that its truth is an independent judge."""
