"""RFID readers over LLRP 1.0.1: the link, the decoding of reports, the ROSpec, the reader's clock."""
