"""With a key, but not the right one: what it has signed is worth nothing, and the verdict says why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from evidence.certificates import Role
from evidence.io.verify_files import verify_path
from evidence.journal import EMPTY, Head
from evidence.receipts import DOCK
from evidence.verify import Verdict
from tests.evidence.golden import OTHER, PARTS, RECORDER, TRUST, Writer, certificate_of, der, private, short_journal
from tests.evidence.golden import certificate as make_certificate
from tests.evidence.test_revocation import LATER, revoke, vault_of
from tests.evidence.trees import receipt_for, seal_of

Make = Callable[[], tuple[Writer, Writer]]
"""A recorder's journal and a dock's."""


def journals(writer: Writer) -> tuple[Writer, Writer]:
    dock = Writer(DOCK)
    receipt_for(dock, seal_of(writer))
    return writer, dock


def written(key: str, certificate: bytes, owner: str = RECORDER) -> Writer:
    writer = Writer(owner, key, certificate)
    writer.add("journal_opened")
    writer.add_segment()
    return writer


def revoked(last: Head | None) -> tuple[Writer, Writer]:
    """At this head, None: at the end of what there was; the recorder went on."""
    writer, dock = journals(short_journal())
    revoke(dock, writer, last or writer.chain.head)
    writer.add_segment(PARTS, LATER)
    return writer, dock


def changed_key() -> tuple[Writer, Writer]:
    """In the middle of a journal, with a certificate of another recorder."""
    writer = short_journal()
    thief = Writer(RECORDER, OTHER, certificate_of(OTHER))
    thief.chain.head = writer.chain.head
    writer.entries.append(thief.add("docked"))
    writer.chain.head = thief.chain.head
    return journals(writer)


def stolen_certificate() -> tuple[Writer, Writer]:
    """The right certificate, which everybody has, and a key of his own."""
    return journals(written("own key", certificate_of(RECORDER)))


def self_signed() -> tuple[Writer, Writer]:
    own = make_certificate("own key", Role.RECORDER.value, private("own key").public_key(), "own key")
    return journals(written("own key", der(own)))


def self_made_dock() -> tuple[Writer, Writer]:
    writer, dock = short_journal(), Writer(DOCK, RECORDER, certificate_of(RECORDER))
    receipt_for(dock, seal_of(writer))
    return writer, dock


BAD, UNKNOWN = Verdict.NOT_AUTHENTIC, Verdict.UNKNOWN_KEY
ATTACKS: dict[str, tuple[Make, Verdict]] = {
    "signs with a revoked key": (lambda: revoked(None), BAD),
    "signs with a key that was revoked before its first entry": (lambda: revoked(EMPTY), BAD),
    "signs with a self-signed certificate": (self_signed, UNKNOWN),
    "signs with a certificate of another CA": (
        lambda: journals(written("own key", certificate_of("own key", root="foreign root"))), UNKNOWN,
    ),
    "signs with another recorder's key": (lambda: journals(written(OTHER, certificate_of(OTHER))), UNKNOWN),
    "changes to another key in the middle": (changed_key, UNKNOWN),
    "shows the right certificate and signs with another key": (stolen_certificate, BAD),
    "signs with the key of the network": (
        lambda: journals(written("link", certificate_of("link", Role.LINK))), UNKNOWN,
    ),
    "signs a recorder's journal with the dock's key": (
        lambda: journals(written(DOCK, certificate_of(DOCK, Role.DOCK))), UNKNOWN,
    ),
    "signs the dock's journal with a recorder's key": (self_made_dock, UNKNOWN),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_whoever_has_a_key(tmp_path: Path, name: str) -> None:
    make, expected = ATTACKS[name]
    writer, dock = make()
    assert verify_path(vault_of(tmp_path, writer, dock), TRUST).verdict is expected


def test_whoever_has_had_the_key_leaves_the_old_recordings_valid(tmp_path: Path) -> None:
    """Verdict: authentic, what the dock held before it was revoked."""
    writer, dock = journals(short_journal())
    revoke(dock, writer, writer.chain.head)
    assert verify_path(vault_of(tmp_path, writer, dock), TRUST).verdict is Verdict.AUTHENTIC


# PLACE for the branch sealed-pki: signs after the certificate has expired; asks for a certificate in another's name.
# PLACE for the branch sealed-token: takes the token, but not its PIN.
