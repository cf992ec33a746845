"""The site's history: one protocol, served by InfluxDB or by local SQLite tables."""
