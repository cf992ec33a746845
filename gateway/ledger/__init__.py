"""The ledger: an append-only event log and, in the same transaction, the state folded from it.

    ledger      the only way in: what comes, what may be asked, who is told      group    one commit
    fold        from the kind of an entry to its rule                            state    the folded nouns (rows)
    house       what stands where, what a tag stands for                         watch    what only time tells
    trimming    what ended long ago leaves the books                             streams  numbers of agents

    goods       items, containers, balances, lots, doors, zones, belief
    receiving   shipments, their cases and loads, orders
    counting    cycle counts
    fruit       sorting lines, their lots, reviews
    watching    agents, devices, sensors, climate
    troubles    exceptions
    showing     how all of it is shown
    storage     files: log, hashes, tables, snapshots, the past, verifying

Rules are functions of the state, the log row and its entry; they never read a clock, a file or the site file.
"""
