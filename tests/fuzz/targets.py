"""Every parser that takes foreign bytes: who calls it how, and honest bytes to start from."""

from __future__ import annotations

import json
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from device.config import load_config
from device.identity import provision
from dock.authority import REQUEST_END, read_request
from dock.enrolment import choose_settings
from dock.folder import DockFolder, read_settings
from dock.messages import read_message
from dock.shares import SECRET_BYTES, join_shares, split_secret
from evidence.boxes import describe_fragment, describe_init, whole_boxes, whole_fragments
from evidence.certificates import Trust, chain_from_pem
from evidence.health import HEALTH_TYPE, HealthCard, Item, State, card_fields, card_from_fields
from evidence.io.durable import PosixDisc
from evidence.io.key_place import KeyPlace, read_place
from evidence.io.token_file import read_lines
from evidence.journal import read_certificates, read_entry, read_head, read_token, sign_head, sign_token
from evidence.persons import read_statement
from evidence.receipts import DOCK, read_assignment, read_word
from evidence.sealing import KeyVaultKey, Sealer, open_parts, unlock, whole_records
from evidence.sealing import read_head as read_sealed_head
from evidence.signing import KeySigner, from_base64url, to_base64url
from evidence.verify import Form, JournalCheck, Report, report_blob, report_segment
from evidence.wire import (
    Offer,
    Offered,
    Topic,
    Up,
    Want,
    part_head,
    read_batch,
    read_offer,
    read_part,
    read_topic,
    read_want,
    write_batch,
    write_offer,
    write_want,
)
from sim.scenario import parse_scenario
from tests.device.footage import tiny_footage
from tests.evidence.golden import (
    APPROVAL,
    ASKING,
    CA_PEM,
    PARTS,
    RECORDER,
    SAMPLES,
    SEGMENT,
    TRUST,
    Writer,
    certificate_of,
    private,
    seal_fields,
    short_journal,
    signer,
    stamp,
)

VAULT = KeyVaultKey(ec.derive_private_key(7, ec.SECP256R1()))
INFO = {"pts_us": 0, "duration_us": 1_000_000, "frames": 30, "samples": 48_000}
_sealer = Sealer(VAULT.public, RECORDER, SEGMENT)
SEALED = _sealer.seal(b"init") + _sealer.seal(b"fragment one", INFO) + _sealer.seal(b"fragment two", INFO)
SEALED_HEAD = read_sealed_head(SEALED).stored
SEALED_KEY = unlock(read_sealed_head(SEALED), VAULT)
PEM_COLUMNS = 64
SCENARIOS = Path(__file__).parents[2] / "sim" / "scenarios"


@dataclass(frozen=True)
class Target:
    """`parse` is given any bytes and may raise nothing but LiuhenError; `seeds` are such as it takes."""

    parse: Callable[[bytes], object]
    seeds: tuple[bytes, ...]


def _ascii(read: Callable[[str], object]) -> Callable[[bytes], object]:
    """Tokens come as text; Latin-1 makes one of any bytes."""
    return lambda data: read(data.decode("latin-1"))


def _payload(token_type: str, read: Callable[[str], object]) -> Callable[[bytes], object]:
    """The bytes are a token's payload, so that the fuzzer gets behind its envelope."""
    header = to_base64url(json.dumps({"alg": "EdDSA", "kid": signer(RECORDER).kid, "typ": token_type}).encode())
    return lambda data: read(f"{header}.{to_base64url(data)}.{'A' * 86}")


def _armoured(label: str, read: Callable[[bytes], object]) -> Callable[[bytes], object]:
    """The bytes are what stands in a PEM block, so that the fuzzer gets behind its base64."""
    frame = "-----{} " + label + "-----\n"
    begins, ends = (frame.format(word).encode() for word in ("BEGIN", "END"))

    def parse(data: bytes) -> object:
        text = b64encode(data)
        lines = (text[start : start + PEM_COLUMNS] + b"\n" for start in range(0, len(text), PEM_COLUMNS))
        return read(b"".join((begins, *lines, ends)))

    return parse


def _payload_of(token: str) -> bytes:
    return from_base64url(token.split(".")[1])


def _entry(token: str) -> None:
    entry = read_entry(token)
    assert entry.head.seq == entry.seq
    if entry.x5c:
        TRUST.identify_der(entry.x5c)


def _journal(data: bytes) -> None:
    """A vault's journal, line by line, as `liuhen verify` reads it."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        path = Path(folder) / "journal.jwsl"
        path.write_bytes(data)
        check = JournalCheck(TRUST)
        for token in read_lines(path):
            check.take(token, "line")
        check.check_end()


def _config(data: bytes) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        path = Path(folder) / "recorder.toml"
        path.write_bytes(data)
        load_config(path)


def _settings(data: bytes) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as root:
        folder = DockFolder(Path(root))
        folder.settings.parent.mkdir()
        folder.settings.write_bytes(data)
        settings = read_settings(folder)
        choose_settings((settings.host,), "127.0.0.1", settings.port)


def _plain_segment(data: bytes) -> None:
    for _ in whole_boxes(data):
        pass
    for start, end in whole_fragments(data):
        describe_fragment(data[start:end], describe_init(tiny_footage(2).init))


def _against_seal(data: bytes) -> None:
    """A segment's file that somebody sends to be verified, and a photo's."""
    report = Report("vault")
    for form in Form:
        report_segment(report, _seal(), form, len(data), lambda offset, length: data[offset : offset + length], SEGMENT)
        report_blob(report, _still(), form, data, "still")


@cache
def _seal():
    return Writer().add("segment", seal_fields(PARTS))


@cache
def _still():
    return Writer().add("still", SAMPLES["still"])


def _sealed(data: bytes) -> None:
    """What recovery does without a key, and opening with one."""
    head = read_sealed_head(data)
    for _ in whole_records(data, len(head.stored), 0):
        pass
    read = memoryview(data)
    for _ in open_parts(lambda offset, length: read[offset : offset + length], len(data), head, unlock(head, VAULT)):
        pass


def _records(data: bytes) -> None:
    """Records behind an honest head: the fuzzer never finds a key that unlocks one of its own."""
    whole = SEALED_HEAD + data
    for _ in whole_records(whole, len(SEALED_HEAD), 0):
        pass
    head = read_sealed_head(whole)
    for _ in open_parts(lambda offset, length: whole[offset : offset + length], len(whole), head, SEALED_KEY):
        pass


def _request() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return provision(Path(folder) / "identity", RECORDER, PosixDisc()).read_bytes()


def _card() -> HealthCard:
    return HealthCard(RECORDER, stamp(), "liuhen 1", 7, (Item("card", State.OK, "well", "", ""),))


@cache
def targets() -> Mapping[str, Target]:
    """By name; made once, for some of the seeds are keys and films."""
    entries = tuple(entry.token for entry in short_journal().entries)
    tokens = tuple(token.encode() for token in entries)
    samples = [sign_token(signer(RECORDER), "liuhen-entry", {**json.loads(_payload_of(entries[0])), **fields})
               for fields in SAMPLES.values()]  # fmt: skip
    said = Writer(DOCK)
    assignment, receipt = (said.add(kind).token for kind in ("assignment", "stored"))
    head = sign_head(signer(RECORDER), RECORDER, short_journal().entries[-1].head)
    card = sign_token(signer(RECORDER), HEALTH_TYPE, card_fields(_card()))
    dock_key, film = signer(DOCK).verify_key, tiny_footage(2)
    der, key = certificate_of(RECORDER), private(RECORDER)
    fragments = tuple(one.data for one in film.fragments)
    tracks = describe_init(film.init)
    message = part_head(entries[0]) + fragments[0]
    topic = Topic(RECORDER, Up.FRAGMENT, (SEGMENT, "1")).text()
    offer = write_offer(Offer(3, 17, (Offered(SEGMENT, 61),), ("A" * 43,)))
    want = write_want(Want(5, {SEGMENT: ((0, 3), (7, 9))}, 3))
    place = KeyPlace("/usr/lib/module.so", "token", "key", "/etc/pin").to_toml()
    config = b'spool = "spool"\nidentity = "identity"\n[camera]\nwidth = 1280\n[duty]\nlanguage = "en"\nvoice = true\n'
    settings = b'host = "dock.unit.cn"\nport = 8883\n'
    signing, link = (block + REQUEST_END + b"\n" for block in _request().split(REQUEST_END)[:-1])
    shares = split_secret(bytes(SECRET_BYTES))
    return {
        "entry": Target(_ascii(_entry), tokens),
        "entry's payload": Target(_payload("liuhen-entry", _entry), tuple(map(_payload_of, samples))),
        "head": Target(_ascii(read_head), (head.encode(),)),
        "head's payload": Target(_payload("liuhen-head", read_head), (_payload_of(head),)),
        "certificates in a token": Target(_ascii(lambda one: read_certificates(one, "token")), tokens[:1]),
        "journal": Target(_journal, (b"\n".join(tokens) + b"\n",)),
        "assignment": Target(_ascii(lambda one: read_assignment(one, dock_key, RECORDER)), (assignment.encode(),)),
        "the dock's word": Target(_ascii(lambda one: read_word(one, dock_key)), (receipt.encode(),)),
        "health card": Target(
            _payload(HEALTH_TYPE, lambda one: card_from_fields(read_token(one, HEALTH_TYPE, "h")[1], "h", RECORDER)),
            (_payload_of(card),),
        ),
        "statement": Target(_ascii(lambda one: read_statement(one, TRUST)), (ASKING.encode(), APPROVAL.encode())),
        "share of the vault key": Target(_ascii(lambda one: join_shares([one, shares[0]])), (shares[1].encode(),)),
        "topic": Target(_ascii(read_topic), (topic.encode(),)),
        "fragment message": Target(lambda data: read_part(read_message(topic, data).payload), (message,)),
        "journal batch": Target(read_batch, (write_batch(entries),)),
        "offer": Target(read_offer, (offer,)),
        "want": Target(read_want, (want,)),
        "init section": Target(describe_init, (film.init,)),
        "fragment": Target(lambda data: describe_fragment(data, tracks), fragments),
        "plain segment": Target(_plain_segment, (film.init + b"".join(fragments), b"".join(fragments))),
        "sealed segment": Target(_sealed, (SEALED,)),
        "records of a sealed segment": Target(_records, (SEALED[len(SEALED_HEAD) :],)),
        "segment against its seal": Target(_against_seal, (b"".join(PARTS),)),
        "certificate in DER": Target(lambda data: TRUST.identify_der([data]), (der,)),
        "certificate in PEM": Target(lambda data: chain_from_pem(data, "file"), (CA_PEM,)),
        "root certificate": Target(Trust, (CA_PEM,)),
        "certificate request": Target(lambda data: read_request(data, "request"), (_request(),)),
        "certificate request's DER": Target(
            _armoured("CERTIFICATE REQUEST", lambda block: read_request(block + link, "request")),
            (_unarmoured(signing),),
        ),
        "root certificate's DER": Target(_armoured("CERTIFICATE", Trust), (_unarmoured(CA_PEM),)),
        "private key's DER": Target(
            _armoured("PRIVATE KEY", lambda block: KeySigner.from_pem(block, "key")), (_unarmoured(_pem(key)),)
        ),
        "private key": Target(lambda data: KeySigner.from_pem(data, "key"), (_pem(key),)),
        "recorder's configuration": Target(_config, (config,)),
        "dock's settings": Target(_settings, (settings,)),
        "place of a key in a token": Target(lambda data: read_place(data, "token.toml"), (place,)),
        "scenario": Target(
            lambda data: parse_scenario(data, "scenario"),
            tuple(path.read_bytes() for path in sorted(SCENARIOS.glob("*.toml"))[:2]),
        ),
    }


def _unarmoured(pem: bytes) -> bytes:
    return b64decode(b"".join(line for line in pem.splitlines() if not line.startswith(b"-----")))


def _pem(key: object) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    made: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # type: ignore[attr-defined]
    return made
