"""The broker's configuration (mosquitto): who may connect and speak where, and how much it may hold."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from hashlib import pbkdf2_hmac
from secrets import token_bytes

from evidence.wire import ROOT

CONFIG = """\
# Written by `liuhen dock init`. mosquitto wants absolute paths: after moving the folder, make the paths right again.
# That of a socket may not hold a space: it is named from the folder in which mosquitto has to be started, this one.
per_listener_settings true

# Recorders, and the head of the unit.
listener {port} {listen}
cafile {root}/ca.pem
certfile {root}/dock/tls/broker.pem
keyfile {root}/dock/tls/broker.key
# Read again at SIGHUP, with keys, certificates and rules.
crlfile {root}/dock/tls/crl.pem
tls_version tlsv1.3
max_connections 1000

# Who you are is your certificate's name, and nobody can be two.
require_certificate true
use_identity_as_username true
use_username_as_clientid true
allow_anonymous false
acl_file {root}/dock/broker/acl

# Receivers: on this machine alone, in a folder that nobody else may enter. Encrypting the same bytes twice more on
# their way through one machine would cost a third of the dock's time and protect them from nobody.
listener 0 socket
allow_anonymous false
use_username_as_clientid true
password_file {root}/dock/broker/passwords
acl_file {root}/dock/broker/acl-receivers

pid_file {root}/dock/broker/mosquitto.pid
set_tcp_nodelay true
# What one client, and all together, may make it hold: a recorder with a valid certificate may be anybody's by now.
memory_limit {memory_limit_bytes}
max_keepalive 120
max_topic_alias 0
max_packet_size 16777216
max_inflight_messages 64
# The default of 1000 acknowledges what it then drops. The byte bound is what protects the memory.
max_queued_messages 20000
max_queued_bytes 536870912
persistent_client_expiration 1d
# The dock says after any break what it lacks, so the broker need not keep anything.
persistence false
log_type warning
log_type error
"""
MEMORY_LIMIT_BYTES = 1024 * 1024 * 1024
SALT_BYTES = 12
ROUNDS = 1000
"""Few, because 256 bits of chance cannot be guessed anyway."""
HEAD = "head"
"""The name in the certificate of the head of the unit, who only reads urgent reports."""
# Root gives its rights up for `mosquitto`, which cannot read keys that only root may read.
AS_ROOT = "user root\n"

ACL = f"""\
pattern write {ROOT}/+/%u/up/#
pattern read {ROOT}/+/%u/down/#
# What it has reported, so that it can take back what is over.
pattern read {ROOT}/+/%u/up/report/#
"""
HEAD_ACL = f"""
user {HEAD}
topic read {ROOT}/+/+/up/report/#
"""
RECEIVER_ACL = f"""\
user {{name}}
topic read {ROOT}/+/+/up/#
topic write {ROOT}/+/+/down/#
"""


def broker_config(root: str, listen: str, port: int, as_root: bool) -> str:
    """The text of mosquitto.conf for the dock folder with this absolute path."""
    text = CONFIG.format(root=root, listen=listen, port=port, memory_limit_bytes=MEMORY_LIMIT_BYTES)
    return text + (AS_ROOT if as_root else "")


def broker_acl() -> str:
    """The access list of the network: a recorder its own tree, the head of the unit the reports."""
    return ACL + HEAD_ACL


def receivers_acl(receivers: Iterable[str]) -> str:
    """The access list of the local socket: a receiver the trees of all recorders."""
    return "".join(RECEIVER_ACL.format(name=name) for name in receivers)


def broker_passwords(passwords: Mapping[str, str]) -> str:
    """The text of mosquitto's password file, for passwords that were made by chance (PBKDF2 with SHA-512)."""
    return "".join(f"{name}:{_hashed(password)}\n" for name, password in passwords.items())


def _hashed(password: str) -> str:
    salt = token_bytes(SALT_BYTES)
    digest = pbkdf2_hmac("sha512", password.encode("ascii"), salt, ROUNDS)
    return f"$7${ROUNDS}${b64encode(salt).decode('ascii')}${b64encode(digest).decode('ascii')}"
