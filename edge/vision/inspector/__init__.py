"""The process between camera and agent: fruit found, followed and classified."""
