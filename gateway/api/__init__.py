"""The gateway's HTTP surface, one noun per file. It reads the ledger and records what people say."""
