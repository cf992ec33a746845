"""One edge agent: observe, decide, and hand the decision over. Raw observations never leave it."""
