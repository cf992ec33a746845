"""Documents: bodies that people and partners send, in JSON, CSV or EPCIS, read into drafts, checked, made records.

body        bytes -> drafts, each value with its place      sheets     lists of equal rows
known       words that must mean something at this site     itemmaster what the house knows
asn, moves, openingbalance, masterfiles, countentries: one kind of document each
"""
