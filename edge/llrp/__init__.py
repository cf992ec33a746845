"""RFID readers over LLRP 1.0.1 and 1.1 (EPCglobal Low Level Reader Protocol): the links that are kept up for ever, and
the errands of people who write tags or survey a door.

Who begins to read here: `link` (what the agent runs), then `conversation`, `session`, `arming`, each within the one
before. Each file imports only from lines below its own.

    For ever, one for each reader                For a person, for some seconds or minutes
      link          keeps a connection up          loan        borrows a reader, gives it back as it was
      conversation  when a connection is dead      errand      what is asked and done one after the other
      session       what each message means        tagfield    the tags before a reader, and which is meant
      arming        from greeting to reads         commission  what is still to be done to a tag
      antennas      which are unplugged            sighting    a tag in a report, and what was done to it
      tagreads      reports become reads           accessspec  operations on tags, as messages
      clock         the reader's time to ours

    What both say and hear
      calls         how a connection comes about: we connect, or the reader does
      trust         with TLS: who is trusted
      patience      how long is waited for what
      rospec        the one ROSpec that a reader runs for us, and whether it is the one it holds
      settings      a reader's configuration: what it is, what it shall be
      answers       abilities, refusals, greetings
      powers        the transmit powers that a reader offers
      impinj        one vendor's additions
      request       requests as bytes

    Octets
      frames        a stream cut into messages, whatever garbage is between
      report        tag reports, fast: by the layout of the first tag
      layout        ... which this learns and checks
      header        what can be the beginning of a message
      described     messages in the words of people
      body          any message, thoroughly, as plain values
      words         the vocabulary
      enumerations  ... of values
      read          one read of one tag: what all this is for

Nothing but `link`, `calls`, `loan` and `errand` does I/O; to the others time is an argument. Errors: see `LlrpError` in
`edge.errors`.
"""
