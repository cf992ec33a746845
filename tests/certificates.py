"""Certificates for the tests of TLS, made by OpenSSL's command line."""

import shutil
import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
_RSA = ["-newkey", "rsa:2048", "-nodes"]


class Certificate(NamedTuple):
    """A certificate and its key, in PEM files."""

    pem: Path
    key: Path

    def server(self) -> ssl.SSLContext:
        """What a server that bears it uses."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pem, self.key)
        return context

    def client(self) -> ssl.SSLContext:
        """What a client uses that trusts it, and nobody else."""
        return ssl.create_default_context(cafile=str(self.pem))


def authority(folder: Path, name: str) -> Certificate:
    """A certificate authority; or, since it bears its name and this machine's address, a self-signed server."""
    names = f"subjectAltName=DNS:{name},IP:127.0.0.1"
    return _made(folder, name, ["-x509", *_KEY, "-days", "2", "-addext", names])


def signed(folder: Path, name: str, by: Certificate, *, days: int = 2, rsa: bool = False) -> Certificate:
    """A server's certificate for that name, signed by an authority; with no days it is out of date at once."""
    key = _RSA if rsa else _KEY
    begun, over = ("20200101000000Z", "20200102000000Z") if not days else ("20200101000000Z", "20990101000000Z")
    request = _made(folder, f"{name}-request", [*key, "-addext", f"subjectAltName=DNS:{name}"], subject=name)
    settings = folder / f"{name}.cnf"
    settings.write_text(
        "[ca]\ndefault_ca=own\n[own]\nnew_certs_dir=.\ndatabase=index\nserial=serial\npolicy=any\n"
        "default_md=sha256\nrand_serial=yes\ncopy_extensions=copy\nunique_subject=no\n[any]\ncommonName=supplied\n"
    )
    (folder / "index").write_text("")
    out = folder / f"{name}.pem"
    _openssl(folder, "ca", "-batch", "-notext", "-config", settings, "-cert", by.pem, "-keyfile", by.key,
             "-in", request.pem, "-out", out, "-startdate", begun, "-enddate", over)  # fmt: skip
    return Certificate(out, request.key)


def _made(folder: Path, name: str, options: list[str], subject: str = "") -> Certificate:
    pem, key = folder / f"{name}.pem", folder / f"{name}.key"
    _openssl(folder, "req", *options, "-subj", f"/CN={subject or name}", "-keyout", key, "-out", pem)
    return Certificate(pem, key)


def _openssl(folder: Path, *arguments: str | Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine to make a certificate with")
    done = subprocess.run(["openssl", *map(str, arguments)], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
