"""The broker's configuration (mosquitto): who may connect and speak where, and how much it may hold."""

from __future__ import annotations

from evidence.wire import ROOT

CONFIG = """\
# Written by `liuhen dock init`. mosquitto wants absolute paths: after moving the folder, make the paths right again.
listener {port} {listen}
cafile {root}/ca.pem
certfile {root}/dock/broker.pem
keyfile {root}/dock/broker.key
tls_version tlsv1.3

# Who you are is your certificate's name, and nobody can be two.
require_certificate true
use_identity_as_username true
use_username_as_clientid true
allow_anonymous false
acl_file {root}/dock/broker/acl

set_tcp_nodelay true
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
RECEIVER_ACL = f"""
user {{name}}
topic read {ROOT}/+/+/up/#
topic write {ROOT}/+/+/down/#
"""


def broker_config(root: str, listen: str, port: int, as_root: bool) -> str:
    """The text of mosquitto.conf for the dock folder with this absolute path."""
    return CONFIG.format(root=root, listen=listen, port=port) + (AS_ROOT if as_root else "")


def broker_acl(receivers: list[str]) -> str:
    """The text of the access list: a recorder its own tree, a receiver all of them, the head the reports."""
    return ACL + "".join(RECEIVER_ACL.format(name=name) for name in receivers) + HEAD_ACL
