"""The reader's side of LLRP 1.0.1 and 1.1, from the standard alone: an independent witness of the edge's decoder."""
