"""How right the books are after a simulated week: `truecount demo --headless --week`.

The world is `firmware_sim.week`, which knows nothing of us. Its entries go through the real edge rules, real wire
batches and a real ledger on a file, all on the world's virtual clock and in one process:

    week's entries --> agent (edge/portal, ReaderClock) --> line (wire batches, Window; late, lost, doubled)
          |                                                     |--> naive books: tags of door events, added up
          |                                                     |--> ledger alone
          '--> staff: clerk.py, counting.py, handheld.py ------'--> ledger with its staff

This package is beside the others, because it alone sees all sides; they know nothing of it.
"""
