"""What stands where: items and their containers, balances and their postings, lots, doors and zones, beliefs."""
