"""The files of a broker: its configuration, generated from the site file on every start, and its password file."""

import base64
import getpass
import hashlib
import secrets
from pathlib import Path

from contract.site import Broker
from contract.wire import MAX_EVIDENCE_BYTES

MAX_MESSAGE_BYTES = 2 * MAX_EVIDENCE_BYTES
_PBKDF2_ROUNDS = 20_000


def write(broker: Broker, program: Path) -> list[str]:
    """Write the files below `broker.data`; the command line that uses them."""
    broker.data.mkdir(parents=True, exist_ok=True)
    data = broker.data.resolve()
    match broker.kind:
        case "nats":
            _write_private(data / "nats.conf", _nats(broker, data))
            return [str(program), "--config", str(data / "nats.conf")]
        case "mosquitto":
            if broker.username is not None:
                _write_private(data / "passwords", _mosquitto_password(broker.username, broker.password or ""))
            _write_private(data / "mosquitto.conf", _mosquitto(broker, data))
            return [str(program), "-c", str(data / "mosquitto.conf")]
        case "external":
            raise ValueError("an external broker has no files of ours")


def _nats(broker: Broker, data: Path) -> str:
    """MQTT needs a server name and JetStream. NATS clients, who cannot be kept out, get a random loopback port."""
    lines = [
        "server_name: truecount",
        'listen: "127.0.0.1:-1"',
        f"max_payload: {MAX_MESSAGE_BYTES}",
        f"jetstream {{ store_dir: {_quoted(str(data / 'store'))}, max_memory_store: 64MB, max_file_store: 1GB }}",
        f"mqtt {{ host: {_quoted(broker.host)}, port: {broker.port} }}",
    ]
    if broker.username is not None:
        user, password = _quoted(broker.username), _quoted(broker.password or "")
        lines.append(f"authorization {{ user: {user}, password: {password} }}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A string of the NATS configuration language; it knows no other escapes than these."""
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        text = text.replace(plain, escaped)
    return f'"{text}"'


def _mosquitto(broker: Broker, data: Path) -> str:
    """mosquitto.conf(5)."""
    lines = [
        f"listener {broker.port} {broker.host}",
        f"user {getpass.getuser()}",
        "persistence true",
        f"persistence_location {data}/",
        f"message_size_limit {MAX_MESSAGE_BYTES}",
        "set_tcp_nodelay true",
        "connection_messages false",
        "log_dest stderr",
    ]
    if broker.username is not None:
        lines += ["allow_anonymous false", f"password_file {data / 'passwords'}"]
    else:
        lines += ["allow_anonymous true"]
    return "\n".join(lines) + "\n"


def _mosquitto_password(username: str, password: str) -> str:
    """One line as mosquitto_passwd(1) writes it: user:$7$rounds$salt$key, PBKDF2 with SHA-512."""
    salt = secrets.token_bytes(12)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _PBKDF2_ROUNDS)
    return f"{username}:$7${_PBKDF2_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}\n"


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text)
