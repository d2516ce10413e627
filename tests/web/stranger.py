"""Evidence as a stranger gets it, with a few bytes of video, and everything that may be done to it on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evidence.certificates import Role
from evidence.journal import sign_head
from evidence.receipts import DOCK
from tests.evidence.golden import (
    CA_PEM,
    FOREIGN_CA_PEM,
    OTHER,
    PARTS,
    RECORDER,
    SAMPLES,
    SEGMENT,
    Writer,
    certificate_of,
    hash_of,
    seal_fields,
    signer,
    stamp,
)
from tests.evidence.trees import receipt_for, seal_of

Files = dict[str, bytes]
STORED = tuple(b"sealed " + part[::-1] for part in PARTS)
"""What stands for the sealed parts: whoever verifies hashes them and does not open them."""
BLOB, STORED_BLOB = b"\xff\xd8 a photo", b"sealed photo"
JOURNAL, DOCK_JOURNAL = f"{RECORDER}/journal.jws", f"{DOCK}/journal.jws"


def sealed_fields(**changes: object) -> dict[str, object]:
    """A seal over parts whose stored bytes are others than their plain ones."""
    rows = [[len(s), hash_of(s), len(p), hash_of(p)] for s, p in zip(STORED, PARTS, strict=True)]
    whole = {"bytes": sum(map(len, PARTS)), "sha256": hash_of(b"".join(PARTS)), "epoch": stamp().to_fields()}
    stored = {"stored_bytes": sum(map(len, STORED)), "parts": rows}
    return seal_fields(PARTS) | whole | stored | changes


def blob_fields(kind: str) -> dict[str, object]:
    """The entry of a photo or a note."""
    stored = {"stored_bytes": len(STORED_BLOB), "stored_sha256": hash_of(STORED_BLOB)}
    return {**SAMPLES[kind], "blob": hash_of(BLOB), "bytes": len(BLOB), **stored}


def line(token: str) -> bytes:
    return f"{token}\n".encode("ascii")


def journal(writer: Writer | None = None) -> Writer:
    """Power on, one recording of one segment and a photo, power off."""
    writer = writer or Writer()
    for kind in ("journal_opened", "power_on", "sign_on", "recording_started"):
        writer.add(kind)
    writer.add("segment", sealed_fields(), certified=True)
    writer.add("still", blob_fields("still"), certified=True)
    for kind in ("recording_stopped", "power_off"):
        writer.add(kind)
    return writer


@dataclass(frozen=True)
class Unit:
    """What a dock holds of one recorder, and what it says."""

    recorder: Writer
    dock: Writer

    def vault(self) -> Files:
        """As it lies at the dock, sealed."""
        seal, still = seal_of(self.recorder), next(one for one in self.recorder.entries if one.kind == "still")
        blobs = f"{RECORDER}/blobs/{hash_of(BLOB)}"
        return {
            JOURNAL: self.recorder.text, f"{JOURNAL}.head": self.head(self.recorder),
            DOCK_JOURNAL: self.dock.text, f"{DOCK_JOURNAL}.head": self.head(self.dock),
            f"{RECORDER}/{SEGMENT}.lhs": b"".join(STORED), f"{RECORDER}/{SEGMENT}.jws": line(seal.token),
            f"{blobs}.lhb": STORED_BLOB, f"{blobs}.jws": line(still.token),
        }  # fmt: skip

    @staticmethod
    def head(writer: Writer) -> bytes:
        return line(sign_head(signer(DOCK), writer.chain.owner, writer.chain.head))


def unit(*, receipt: bool = True, recorder: Writer | None = None) -> Unit:
    recorder, dock = recorder or journal(), Writer(DOCK)
    dock.add("enrolled")
    if receipt:
        receipt_for(dock, seal_of(recorder))
    return Unit(recorder, dock)


@dataclass(frozen=True)
class Case:
    """Files, by path, and what `liuhen verify` is to be asked: about which of them, against which root."""

    files: Files
    path: str
    ca: bytes = CA_PEM
    dock_journal: bool = False

    def write(self, root: Path) -> Path:
        for name, content in self.files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
        return root / self.path

    @property
    def dropped(self) -> Files:
        return {"ca.pem": self.ca, **self.files}


def opened(parts: Sequence[bytes] = PARTS, *, entry: bytes | None = None, suffix: str = ".mp4", **seal: object) -> Case:
    """A segment on its own with its seal."""
    writer = Writer()
    writer.add("segment", sealed_fields(**seal))
    token = line(writer.tokens[0]) if entry is None else entry
    return Case({f"{SEGMENT}{suffix}": b"".join(parts), f"{SEGMENT}.jws": token}, f"{SEGMENT}{suffix}")


def blob(data: bytes, suffix: str, kind: str = "still") -> Case:
    """A photo or a note on its own with its entry."""
    writer = Writer()
    writer.add(kind, blob_fields(kind))
    return Case({f"x{suffix}": data, "x.jws": line(writer.tokens[0])}, f"x{suffix}")


def signed_as(owner: str, key: str, certificate: bytes) -> bytes:
    """A seal in the name of `owner` by the key called `key`, with whatever certificate."""
    writer = Writer(owner, key, certificate)
    writer.add("segment", sealed_fields())
    return line(writer.tokens[0])


def flip(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def vault(change: Callable[[Files], object] = lambda _: None, made: Unit | None = None) -> Case:
    files = (made or unit()).vault()
    change(files)
    return Case(files, RECORDER)


def without(files: Files, path: str, number: int) -> None:
    lines = files[path].splitlines(keepends=True)
    del lines[number]
    files[path] = b"".join(lines)


def swap(files: Files, path: str, one: int, other: int) -> None:
    lines = files[path].splitlines(keepends=True)
    lines[one], lines[other] = lines[other], lines[one]
    files[path] = b"".join(lines)


def revoked(after: int, *, receipt: bool = True) -> Unit:
    """The dock revokes the recorder's key when it holds so many of its entries."""
    made = unit(receipt=receipt)
    last = made.recorder.entries[after]
    fields = {"recorder": RECORDER, "kid": last.kid, "why": "lost", "last_seq": last.seq, "last_hash": last.head.hash}
    made.dock.add("revoked", fields)
    return made


def alone_under(made: Unit) -> Case:
    """One recording with its seal and the dock's journal, as a party gets them."""
    held = made.vault()
    names = (f"{RECORDER}/{SEGMENT}.jws", DOCK_JOURNAL, f"{DOCK_JOURNAL}.head")
    files = {name.replace(f"{RECORDER}/", ""): held[name] for name in names} | {f"{SEGMENT}.mp4": b"".join(PARTS)}
    return Case(files, f"{SEGMENT}.mp4", dock_journal=True)


def receipt_for_another(**changes: object) -> Unit:
    made = unit(receipt=False)
    seal = seal_of(made.recorder)
    fields = {name: seal.fields[name] for name in ("segment", "sha256", "stored_bytes")}
    fields |= {"recorder": RECORDER, "seal_seq": seal.seq, "seal_hash": seal.head.hash}
    made.dock.add("stored", fields | changes, certified=True)
    return made


GOOD = opened()
SEAL = GOOD.files[f"{SEGMENT}.jws"]
INIT, ONE, TWO, THREE = PARTS

CASES: Mapping[str, Case] = {
    # a recording that was opened, with its seal
    "as it was recorded": GOOD,
    "one bit flipped in the first part": opened([flip(INIT, 3), ONE, TWO, THREE]),
    "one bit flipped in the last part": opened([INIT, ONE, TWO, flip(THREE, 0)]),
    "cut at the end of a part": opened([INIT, ONE, TWO]),
    "cut inside a part": opened([INIT, ONE, TWO[:5]]),
    "two parts swapped": opened([INIT, TWO, ONE, THREE]),
    "a part repeated": opened([INIT, ONE, ONE, TWO, THREE]),
    "a part cut out of the middle": opened([INIT, ONE, THREE]),
    "the init section cut off": opened([ONE, TWO, THREE]),
    "bytes added at the end": opened([*PARTS, b"more"]),
    "bytes added at the front": opened([b"more", *PARTS]),
    "emptied": opened([]),
    "a clip of the last parts": opened([INIT, TWO, THREE]),
    "a clip of one part": opened([INIT, TWO]),
    "a clip with a flipped bit": opened([INIT, flip(TWO, 2), THREE]),
    "a clip without its init section": opened([TWO, THREE]),
    "sealed as incomplete": opened(complete=False),
    "sealed by recovery, which knows no hash of the whole": opened(sha256=None, complete=False),
    "a seal whose parts and whole disagree": opened(sha256=hash_of(b"another")),
    # the same, sealed
    "sealed": opened(STORED, suffix=".lhs"),
    "sealed, one bit flipped": opened([STORED[0], flip(STORED[1], 9), *STORED[2:]], suffix=".lhs"),
    "sealed, cut": opened(STORED[:3], suffix=".lhs"),
    "sealed, parts swapped": opened([STORED[0], STORED[2], STORED[1], STORED[3]], suffix=".lhs"),
    "sealed, but opened bytes under its name": opened(PARTS, suffix=".lhs"),
    "opened, but sealed bytes under its name": opened(STORED),
    # its seal
    "the seal with a flipped bit in its signature": opened(entry=flip(SEAL, len(SEAL) - 9)),
    "the seal with a flipped bit in its payload": opened(entry=flip(SEAL, len(SEAL) - 200)),
    "the seal cut": opened(entry=SEAL[:-40] + b"\n"),
    "the seal without its line end": opened(entry=SEAL[:-1]),
    "the seal twice": opened(entry=SEAL + SEAL),
    "an empty seal": opened(entry=b""),
    "another unit's root": replace(GOOD, ca=FOREIGN_CA_PEM),
    "a seal by a recorder of another unit": opened(
        entry=signed_as(RECORDER, RECORDER, certificate_of(RECORDER, root="foreign root"))),
    "a seal by the key of the link": opened(entry=signed_as(RECORDER, RECORDER, certificate_of(RECORDER, Role.LINK))),
    "a seal by the dock": opened(entry=signed_as(RECORDER, DOCK, certificate_of(DOCK, Role.DOCK))),
    "a seal by another recorder": opened(entry=signed_as(RECORDER, OTHER, certificate_of(OTHER))),
    "a seal by a key that is not the certificate's": opened(entry=signed_as(RECORDER, OTHER, certificate_of(RECORDER))),
    "a photo's entry beside a recording": opened(entry=blob(BLOB, ".jpg").files["x.jws"]),
    # photos and notes
    "a photo": blob(BLOB, ".jpg"),
    "a sealed photo": blob(STORED_BLOB, ".lhb"),
    "a photo with a flipped bit": blob(flip(BLOB, 4), ".jpg"),
    "a photo, cut": blob(BLOB[:-2], ".jpg"),
    "a photo, emptied": blob(b"", ".jpg"),
    "a photo with bytes behind its end": blob(BLOB + b"x", ".jpg"),
    "a note": blob(BLOB, ".m4a", "voice_note"),
    "a photo that is called a note": blob(BLOB, ".m4a"),
    "a sealed note with a flipped bit": blob(flip(STORED_BLOB, 0), ".lhb", "voice_note"),
    # all of a recorder, with its journal and the dock's
    "a recorder's folder": vault(),
    "an entry missing from the journal": vault(lambda files: without(files, JOURNAL, 3)),
    "the last entry missing": vault(lambda files: without(files, JOURNAL, -1)),
    "the first entry missing": vault(lambda files: without(files, JOURNAL, 0)),
    "two entries swapped": vault(lambda files: swap(files, JOURNAL, 1, 2)),
    "an entry of the journal flipped": vault(lambda files: files.update({JOURNAL: flip(files[JOURNAL], 900)})),
    "the journal torn": vault(lambda files: files.update({JOURNAL: files[JOURNAL][:-7]})),
    "the journal emptied": vault(lambda files: files.update({JOURNAL: b""})),
    "the end of the journal not stated": vault(lambda files: files.pop(f"{JOURNAL}.head")),
    "the statement of the end flipped": vault(
        lambda files: files.update({f"{JOURNAL}.head": flip(files[f"{JOURNAL}.head"], -9)})),
    "the statement of another journal's end": vault(
        lambda files: files.update({f"{JOURNAL}.head": files[f"{DOCK_JOURNAL}.head"]})),
    "an entry missing from the dock's journal": vault(lambda files: without(files, DOCK_JOURNAL, 0)),
    "the segment gone": vault(lambda files: files.pop(f"{RECORDER}/{SEGMENT}.lhs")),
    "the photo gone": vault(lambda files: files.pop(f"{RECORDER}/blobs/{hash_of(BLOB)}.lhb")),
    "the segment's seal gone": vault(lambda files: files.pop(f"{RECORDER}/{SEGMENT}.jws")),
    "another seal beside the segment": vault(lambda files: files.update({f"{RECORDER}/{SEGMENT}.jws": SEAL})),
    "a flipped bit in the segment": vault(
        lambda files: files.update({f"{RECORDER}/{SEGMENT}.lhs": flip(b"".join(STORED), 30)})),
    "a receipt for other bytes": vault(made=receipt_for_another(sha256=hash_of(b"other"))),
    "a receipt for another seal": vault(made=receipt_for_another(seal_hash=hash_of(b"other"))),
    "a receipt for a segment that the journal does not know": vault(
        made=receipt_for_another(segment=f"{SEGMENT[:-1]}9")),
    # keys that are not believed any more
    "revoked after everything": vault(made=revoked(7)),
    "revoked before the seal": vault(made=revoked(2)),
    "one recording, its key revoked, with a receipt": alone_under(revoked(7)),
    "one recording, its key revoked, without a receipt": alone_under(revoked(7, receipt=False)),
    "one recording, nothing revoked": alone_under(unit()),
}  # fmt: skip
