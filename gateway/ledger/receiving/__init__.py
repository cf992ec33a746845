"""What was announced against what came: shipments and their cases, loads, orders, read rates of doors."""
