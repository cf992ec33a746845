"""The ledger's files: the log with its hashes, the state's tables, snapshots, the past; reading, cutting, verifying."""
