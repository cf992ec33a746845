"""EPCIS 2.0: what happened at the site, in the words that trading partners share, and their words as ASNs.

    rows of the log -> mapping -> events -> hashid -> document (a file) or capture (their repository)
    a partner's EPCISDocument -> incoming -> drafts of shipments -> gateway.documents.asn

What maps to what stands in docs/epcis.md. `gs1uri` and `names` know how things are called there.
"""
