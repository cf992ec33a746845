"""Those that watch: agents and their clocks, devices, sensors, the climate of zones."""
