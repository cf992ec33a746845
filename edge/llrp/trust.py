"""TLS to a reader (LLRP 1.0.1 section 18.2): who is trusted, and why somebody is not."""

import ssl
from typing import Final

from contract.portals import Tls
from edge.errors import Blinded

_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:AES128-GCM-SHA256:AES256-GCM-SHA384"
"""The usual ones, and at the end two without forward secrecy: readers of 2015 know no others with TLS 1.2."""


def trusting(tls: Tls) -> ssl.SSLContext:
    """TLS 1.2 or newer, and nobody trusted but the one of the site file; read anew each time, as it may be replaced."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # so that a reader's own certificate may be the trusted one
    context.set_ciphers(_CIPHERS)
    try:
        context.load_verify_locations(cafile=tls.ca)
    except OSError as error:  # ssl.SSLError, too
        why = "it holds none in PEM form" if isinstance(error, ssl.SSLError) else error.strerror
        raise Blinded(f"no certificate in {tls.ca} ({why}): correct tls.ca") from error
    return context


def distrusted(error: ssl.SSLCertVerificationError, tls: Tls, name: str) -> str:
    """Why a certificate is refused, and what to do."""
    match error.verify_code:
        case 62 | 63 | 64:  # X509_V_ERR_HOSTNAME_MISMATCH, _EMAIL_MISMATCH, _IP_ADDRESS_MISMATCH
            return f"the reader's certificate is not for {name}: set tls.server_name to the name that it bears"
        case 9 | 10:  # X509_V_ERR_CERT_NOT_YET_VALID, _HAS_EXPIRED
            return f"the reader's certificate is out of date ({error.verify_message}): renew it, or correct our clock"
    words = f"the reader's certificate is not signed by {tls.ca} ({error.verify_message})"
    return f"{words}: put its authority's certificate there, or find out who answers"
