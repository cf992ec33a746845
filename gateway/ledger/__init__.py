"""The ledger: an append-only event log and, in the same transaction, the state folded from it."""
