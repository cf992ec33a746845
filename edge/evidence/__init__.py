"""Pictures on their way to the gateway: kept on the disk, sent until they are kept there."""
