"""What the dock does with the messages of recorders: a batch of messages in, a list of answers out.

Nothing is answered before it is durable: until its batch is written, a part is known as coming, and counts for nothing.
Whatever a recorder sends, this goes on: what cannot be evidence goes to quarantine with its reason, what cannot be read
is logged and left. Only a failing disc ends it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from dock.beside import Beside, read_blob_name
from dock.catalogue import Catalogue
from dock.dock_journal import DockJournal
from dock.folder import JOURNAL_OWNER, DockFolder
from dock.health import keep_card
from dock.manifest import Part, check_entry, check_part, check_place, hash_part, part_name, read_name
from dock.messages import Answer, Message, one_line, what_of
from dock.records import Progress, Recorder, Records
from dock.vault import Vault
from evidence.errors import DiscError, DiscFullError, LiuhenError, NewerVersionError, RejectedError
from evidence.io.durable import Disc
from evidence.journal import Entry, read_entry, token_hash
from evidence.signing import to_base64url
from evidence.transfer import missing_ranges
from evidence.wire import (
    Down,
    Octets,
    Offer,
    Ranges,
    Topic,
    Up,
    Want,
    read_batch,
    read_offer,
    read_part,
    read_topic,
    write_want,
)

LOG = logging.getLogger("liuhen.dock")
REJECTIONS_LIMIT = 256
"""So many different contents of one recorder go to quarantine; a broken one must not fill the dock."""
ATTEMPTS_LIMIT = 3
"""So often a rejected part is asked for again: what is wrong on the card stays wrong."""


@dataclass(slots=True)
class _Turn:
    """What one batch did for one recorder."""

    recorder: Recorder
    offer: Offer | None = None
    told: bool = False
    touched: dict[str, None] = field(default_factory=dict)
    receipts: dict[str, str] = field(default_factory=dict)
    blobs: dict[str, None] = field(default_factory=dict)
    words: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Coming:
    """A part that has been checked, and where it is awaited."""

    part: Part
    stored: memoryview
    progress: Progress


@dataclass(slots=True)
class _Batch:
    """What one batch did so far."""

    turns: dict[str, _Turn] = field(default_factory=dict)
    parts: list[_Coming] = field(default_factory=list)


class Intake:
    """The rules at work on one dock's folder. Several may work there, each for other recorders.

    A DiscError means that nothing is known any more: what this object has in memory is good for nothing then.
    """

    def __init__(self, folder: DockFolder, disc: Disc, journal: DockJournal, catalogue: Catalogue) -> None:
        self._folder = folder
        self._journal = journal
        self._catalogue = catalogue
        self._vault = Vault(folder, disc)
        self._records = Records(folder, disc, journal, catalogue)
        self._beside = Beside(journal, catalogue, self._vault)

    def take(self, messages: Iterable[Message]) -> list[Answer]:
        """Take in a batch; what is answered is durable. Raises DiscError."""
        self._records.trim()
        batch = _Batch()
        for message in messages:
            self._take(batch, message)
        durable = self._write(batch.parts)
        self._catalogue.add_parts(durable)
        for coming in batch.parts:
            coming.progress.end_coming(coming.part, coming.part in durable)
        return [answer for turn in batch.turns.values() for answer in self._conclude(turn)]

    def _write(self, parts: Iterable[_Coming]) -> list[Part]:
        """Make them durable, with one sync a file; returns those for which there was room."""
        written: list[Part] = []
        files: dict[Path, None] = {}
        for part, stored in ((coming.part, coming.stored) for coming in parts):
            try:
                files[self._vault.put_part(part.device, part.segment, part.offset_bytes, stored)] = None
                written.append(part)
            except DiscFullError as error:
                LOG.warning("refused recorder=%s part=%d of=%s reason=%s", part.device, part.part, part.segment, error)
        for path in files:
            self._vault.sync(path)
        return written

    def _take(self, batch: _Batch, message: Message) -> None:
        try:
            topic = read_topic(message.topic)
            recorder = self._records.recorder(topic.device)
        except DiscError:
            raise
        except LiuhenError as error:
            LOG.warning("dropped topic=%r reason=%s", message.topic[:200], one_line(error))
            return
        turn = batch.turns.setdefault(topic.device, _Turn(recorder))
        try:
            self._take_named(batch, turn, topic, message)
        except (DiscFullError, NewerVersionError) as error:
            LOG.warning("refused topic=%r reason=%s", message.topic[:200], one_line(error))
        except DiscError:
            raise
        except LiuhenError as error:
            self._reject(topic.device, what_of(topic), message.payload, error)

    def _take_named(self, batch: _Batch, turn: _Turn, topic: Topic, message: Message) -> None:
        match topic.name:
            case Up.OFFER:
                self._take_offer(turn, message.payload)
            case Up.JOURNAL:
                self._take_journal(turn, message.payload)
            case Up.FRAGMENT:
                self._take_part(batch, turn, topic, message)
            case Up.BLOB | Up.REPORT:
                self._take_beside(turn, topic, message.payload)
            case Up.HEALTH:
                keep_card(self._folder, topic.device, turn.recorder.key, bytes(message.payload))

    def _take_offer(self, turn: _Turn, payload: Octets) -> None:
        turn.offer = read_offer(payload)
        self._records.look_for_assignment(turn.recorder)
        for offered in turn.offer.segments:
            self._records.progress(turn.recorder, offered.segment).offered_parts = offered.parts
            turn.touched[offered.segment] = None
        turn.blobs.update(dict.fromkeys(turn.offer.blobs))

    def _take_journal(self, turn: _Turn, payload: Octets) -> None:
        verdict = self._records.add_entries(turn.recorder, read_batch(payload))
        turn.told = True
        turn.touched.update({str(seal.fields["segment"]): None for seal in verdict.seals})
        if isinstance(verdict.wrong, NewerVersionError):
            raise verdict.wrong
        if verdict.wrong is not None:
            self._reject(turn.recorder.device, Up.JOURNAL, payload, verdict.wrong, verdict.wrong_token.encode("ascii"))

    def _take_part(self, batch: _Batch, turn: _Turn, topic: Topic, message: Message) -> None:
        segment, index = read_name(topic.rest)
        token, stored = read_part(message.payload)
        part = turn.recorder.known_parts.get(token_hash(token))
        if part is None:
            part = check_entry(read_entry(token, f"part {index} of {segment}"), turn.recorder.key)
        if (part.device, part.segment, part.part) != (topic.device, segment, index):
            raise RejectedError(f"part {index} of {segment}", "comes with the entry of another part")
        turn.told = True
        turn.touched[segment] = None
        progress = self._records.progress(turn.recorder, segment)
        if progress.receipt is not None or progress.has(part):
            return
        check_part(part, len(stored), message.part_hash or hash_part(stored))
        check_place(part, progress.seal, progress.all_parts())
        progress.coming[index] = part
        batch.parts.append(_Coming(part, stored, progress))

    def _take_beside(self, turn: _Turn, topic: Topic, payload: Octets) -> None:
        if topic.name is Up.BLOB:
            turn.told = True
            turn.blobs[read_blob_name(topic)] = None
            self._beside.take_blob(topic, payload)
        elif taken := self._beside.take_report(topic, payload, turn.recorder.key):
            turn.words[taken] = None

    def _conclude(self, turn: _Turn) -> Iterable[Answer]:
        """Finish what is complete and say what is lacking."""
        device = turn.recorder.device
        for segment in turn.touched:
            self._finish(turn, segment)
        if turn.offer and turn.recorder.assignment:
            topic = Topic(device, Down.ASSIGN).text()
            yield Answer(topic, turn.recorder.assignment.encode("ascii"), retain=True)
        blobs = self._beside.blob_states(device, turn.blobs, ATTEMPTS_LIMIT if turn.offer else 1)
        if turn.told or turn.offer:
            # A receipt says all about its segment, so a want does not name it any more.
            lacks = {one: self._lacks(turn, one) for one in turn.touched if self._is_expected(turn, one)}
            want = Want(turn.recorder.head.seq + 1, {**lacks, **blobs.lacks}, turn.offer.round if turn.offer else None)
            yield Answer(Topic(device, Down.WANT).text(), write_want(want))
        if turn.offer:
            turn.words.update(dict.fromkeys(self._beside.unheard(device)))
        for receipt in (*turn.receipts.values(), *blobs.receipts.values(), *turn.words):
            yield Answer(Topic(device, Down.RECEIPT).text(), receipt.encode("ascii"))

    def _is_expected(self, turn: _Turn, segment: str) -> bool:
        return segment not in turn.receipts and self._records.progress(turn.recorder, segment).expected_parts > 0

    def _lacks(self, turn: _Turn, segment: str) -> Ranges:
        """What to ask for. Rejected parts only in answer to an offer, and not for ever."""
        progress = self._records.progress(turn.recorder, segment)
        held = set(progress.parts)
        attempts = ATTEMPTS_LIMIT if turn.offer else 1
        if progress.rejected is None:
            progress.rejected = self._catalogue.rejected_parts(turn.recorder.device, segment)
        held.update(index for index, times in progress.rejected.items() if times >= attempts)
        return missing_ranges(progress.expected_parts, held)

    def _finish(self, turn: _Turn, segment: str) -> None:
        """Put a complete segment into the vault and journal its receipt, unless that has been done."""
        progress = self._records.progress(turn.recorder, segment)
        if wrong := progress.drop_contradicting():
            self._drop(turn.recorder.device, segment, wrong)
        if progress.receipt is None and (seal := progress.sealed()) is not None:
            progress.receipt = self._store(turn, seal)
        if progress.receipt is not None:
            turn.receipts[segment] = progress.receipt

    def _store(self, turn: _Turn, seal: Entry) -> str | None:
        device, segment = seal.device, str(seal.fields["segment"])
        try:
            complete = self._vault.store(seal)
        except RejectedError as error:
            self._reject(device, f"segment/{segment}", seal.token.encode("ascii"), error)
            return None
        if not complete:
            LOG.error("lost parts of recorder=%s segment=%s, asking for them again", device, segment)
            self._catalogue.forget_parts(device, segment)
            turn.recorder.segments.pop(segment)
            return None
        return self._receipt(seal)

    def _receipt(self, seal: Entry) -> str:
        """The one `stored` entry of this segment: from the journal, or added now."""
        names = ("segment", "sha256", "stored_bytes")
        with self._journal.adding() as add:
            self._catalogue.catch_up(JOURNAL_OWNER, self._journal.path)
            known = self._catalogue.segment(seal.device, str(seal.fields["segment"]))
            if known is not None and known.receipt is not None:
                return str(known.receipt)
            fields = {name: seal.fields[name] for name in names}
            entry = add(
                "stored", {"recorder": seal.device, **fields, "seal_seq": seal.seq, "seal_hash": seal.head.hash}
            )
            self._catalogue.catch_up(JOURNAL_OWNER, self._journal.path)
        return entry.token

    def _drop(self, device: str, segment: str, wrong: Sequence[Part]) -> None:
        for part in wrong:
            error = RejectedError(f"part {part.part} of {segment}", "is not the part that the recorder sealed later")
            self._reject(device, part_name(segment, part.part), part.stored_sha256.encode("ascii"), error)
        self._catalogue.forget_parts(device, segment, [part.part for part in wrong])

    def _reject(
        self, device: str, what: str, content: Octets, error: LiuhenError, identity: bytes | None = None
    ) -> None:
        """Quarantine and journal, once for each content; `identity` names it where the same trouble comes in others."""
        digest = to_base64url(sha256(content if identity is None else identity).digest())
        reason = one_line(error)
        LOG.warning("rejected recorder=%s what=%s reason=%s", device, what, reason)
        for progress in self._records.recorder(device).segments.values():
            progress.rejected = None
        if self._catalogue.rejected_again(device, what, digest):
            return
        if self._catalogue.rejected_contents(device) >= REJECTIONS_LIMIT:
            LOG.error("recorder=%s has %d rejected contents, no more are kept", device, REJECTIONS_LIMIT)
            return
        try:
            kept = self._vault.quarantine(device, f"{what.replace('/', '_')}-{digest[:16]}", bytes(content), reason)
        except DiscFullError as full:
            LOG.error("not quarantined recorder=%s reason=%s", device, full)
            return
        with self._journal.adding() as add:
            fields = {"recorder": device, "what": what, "why": reason, "quarantine": kept, "sha256": digest}
            add("rejected", fields)
            self._catalogue.catch_up(JOURNAL_OWNER, self._journal.path)
