"""A week of a warehouse in virtual time: what moves, what its readers hear of it, and what is true.

    plan      jobs of the day: trucks, putaway, picks, loading, returns, mishaps --+
    goods     every case and where it truly is                                     |   entries, by time
    portal    the radio and the photo-eyes of a door, for one body                 +--> what agents and staff
    sweep     a ceiling reader's round over its zone                               |    are told (told.py)
    trouble   outages, clocks, networks                                           --+
    people    what a person sees who goes there and looks, with that person's errors

Nothing here reads a clock, and nothing knows how a pass is decided or what the books say.
"""
