"""After a power loss: whatever the card holds, nothing journalled is lost and nothing is thrown away unsaid."""

from __future__ import annotations

import errno
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from device.spool import SpoolPaths
from evidence.account import Use, accounts
from evidence.boxes import whole_fragments
from evidence.errors import DiscError
from evidence.io.durable import PosixDisc
from evidence.journal import EMPTY, Entry, Head
from tests.device.cards import DyingDisc, FaultyDisc, Power, PowerCutError, fast_folder, signer_under
from tests.device.footage import EPOCH_US, tiny_footage
from tests.device.hand_clock import HandClock, after_reboot
from tests.device.life import Life, check_after_cut, check_card, entries_of, living, open_spool, restart, start
from tests.device.unit import OFFICER, unit

CUT = tiny_footage(6)
JOURNALLED = 2
BEFORE = CUT.init + b"".join(one.data for one in CUT.fragments[:JOURNALLED])
UNJOURNALLED = CUT.fragments[JOURNALLED:4]
TAIL = b"".join(one.data for one in UNJOURNALLED)
SEGMENT = "0123456789ab-00001"


def recording_card(root: Path) -> HandClock:
    """A card whose power went while a segment was being written, with two fragments journalled."""
    clock = HandClock(boot_us=EPOCH_US)
    spool = open_spool(root, PosixDisc(), clock)
    with living(spool):
        numbers, _ = start(spool, clock)
        clock.advance(0.5)
        life = Life(spool, numbers, clock, CUT)
        steps = life.segment(life.begin(), CUT.fragments[:JOURNALLED], "never")
        for _ in range(1 + JOURNALLED):
            next(steps)
        steps.close()
    return clock


@pytest.fixture(scope="module")
def card() -> Iterator[tuple[Path, HandClock]]:
    with fast_folder() as folder:
        yield folder / "spool", recording_card(folder / "spool")


@pytest.fixture
def scratch() -> Iterator[Path]:
    with fast_folder() as folder:
        yield folder / "spool"


def copy_with_tail(card: Path, root: Path, tail: bytes) -> Path:
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(card, root)
    path = SpoolPaths(root).segment(SEGMENT)
    path.write_bytes(BEFORE + tail)
    return path


def of_kind(entries: list[Entry], kind: str) -> list[Entry]:
    return [entry for entry in entries if entry.kind == kind]


def plays(path: Path, pictures: int) -> bool:
    command = ["ffprobe", "-v", "error", "-count_packets", "-select_streams", "v:0", "-show_entries",
               "stream=nb_read_packets", "-of", "csv=p=0", str(path)]  # fmt: skip
    said = subprocess.run(command, check=True, capture_output=True, text=True)
    return (said.stdout.strip(), said.stderr) == (str(pictures), "")


def test_a_cut_at_every_byte_of_the_tail_loses_nothing(card: tuple[Path, HandClock], scratch: Path) -> None:
    """Also at every border between fragments, and right after the last journalled byte."""
    ends = [sum(len(one.data) for one in UNJOURNALLED[:count]) for count in range(len(UNJOURNALLED) + 1)]
    for length in range(len(TAIL) + 1):
        path = copy_with_tail(card[0], scratch, TAIL[:length])
        recovered = restart(scratch, after_reboot(card[1]))
        whole = sum(1 for end in ends[1:] if end <= length)
        torn = length - ends[whole]
        assert (recovered.previous_end, recovered.fragments, recovered.torn_bytes) == ("power_loss", whole, torn)
        assert path.read_bytes() == BEFORE + TAIL[: ends[whole]]
        assert len(whole_fragments(path.read_bytes()[len(CUT.init) :])) == JOURNALLED + whole
        entries = check_card(scratch)
        assert len(of_kind(entries, "recovered")) == whole
        places = [(one.fields["offset_bytes"], one.fields["bytes"]) for one in of_kind(entries, "torn")]
        assert places == ([(len(BEFORE) + ends[whole], torn)] if torn else [])
        (seal,) = of_kind(entries, "segment")
        assert (seal.fields["trigger"], seal.fields["complete"], seal.fields["officer"]) == (
            "power_loss", True, OFFICER.number,
        )  # fmt: skip
        assert seal.fields["frames"] == 3 * (JOURNALLED + whole)
        ((broken,),) = (one.interruptions for one in accounts(entries))
        assert (broken.cause, broken.state) == ("power_loss", "open")
        if length % 97 == 0 or torn == 0:
            assert plays(path, 3 * (JOURNALLED + whole))


def test_the_break_of_a_power_loss_begins_with_the_last_picture(card: tuple[Path, HandClock], scratch: Path) -> None:
    copy_with_tail(card[0], scratch, TAIL)
    restart(scratch, after_reboot(card[1], off_s=60))
    (account,) = accounts(entries_of(scratch))
    (broken,) = account.interruptions
    assert broken.start_us == card[1].at(EPOCH_US + 500_000 + 4_000_000).utc_us
    assert account.total_us(Use.RECORDED) == 4_000_000
    assert account.total_us(Use.UNEXPLAINED) == account.end_us - broken.start_us


def test_a_crash_within_one_boot_is_a_fault_of_the_device(card: tuple[Path, HandClock], scratch: Path) -> None:
    copy_with_tail(card[0], scratch, TAIL)
    recovered = restart(scratch, HandClock(boot_us=card[1].boot_us + 10_000_000))
    assert recovered.previous_end == "device_fault"
    entries = check_card(scratch)
    assert of_kind(entries, "segment")[0].fields["trigger"] == "device_fault"
    assert [one.cause for one in accounts(entries)[0].interruptions] == ["device_fault"]


def test_a_recovery_that_the_card_refuses_and_that_is_tried_again_tells_the_cause_of_the_first_break(
    card: tuple[Path, HandClock], scratch: Path
) -> None:
    copy_with_tail(card[0], scratch, TAIL[:-7])
    clock, disc = after_reboot(card[1]), FaultyDisc({"truncate": errno.EIO})
    for _ in range(2):
        with pytest.raises(DiscError):
            restart(scratch, clock, disc)
        clock.advance(5)
    disc.refused.clear()
    restart(scratch, clock, disc)
    entries = check_card(scratch)
    assert of_kind(entries, "segment")[0].fields["trigger"] == "power_loss"
    assert [one.cause for one in accounts(entries)[0].interruptions] == ["power_loss"]


@pytest.mark.parametrize(("what", "cause"), [("case_opened", "tamper"), ("case_closed", "power_loss")])
def test_behind_an_open_case_it_stays_a_tampering_however_often_the_recovery_is_tried(
    scratch: Path, what: str, cause: str
) -> None:
    before = recording_card(scratch)
    spool = open_spool(scratch, PosixDisc(), before)
    with living(spool):
        spool.note("tamper", what="case_opened")
        spool.note("tamper", what=what)
    SpoolPaths(scratch).segment(SEGMENT).write_bytes(BEFORE + TAIL[:-7])
    clock, disc = after_reboot(before), FaultyDisc({"truncate": errno.EIO})
    with pytest.raises(DiscError):
        restart(scratch, clock, disc)
    disc.refused.clear()
    restart(scratch, clock, disc)
    assert [one.cause for one in accounts(check_card(scratch))[0].interruptions] == [cause]


def test_the_next_start_finds_nothing_more_to_do(card: tuple[Path, HandClock], scratch: Path) -> None:
    copy_with_tail(card[0], scratch, TAIL[:-7])
    first = restart(scratch, after_reboot(card[1]))
    before = entries_of(scratch)
    again = restart(scratch, after_reboot(card[1], off_s=120))
    assert [entry.kind for entry in check_card(scratch)[len(before) :]] == ["power_on"]
    assert (again.fragments, again.torn_bytes, again.interrupted) == (0, 0, first.interrupted)


def lying_moof(size: int) -> bytes:
    return struct.pack(">I4s", size, b"moof") + b"\0" * 40


def patched(place: int, value: int) -> bytes:
    """A whole fragment with one byte of its boxes changed."""
    data = bytearray(UNJOURNALLED[0].data)
    data[place % len(data)] = value
    return bytes(data)


garbage = st.one_of(
    st.binary(max_size=600),
    st.integers(1, 5000).map(bytes),
    st.integers(0, 600).map(lambda end: UNJOURNALLED[0].data[:end]),
    st.integers(0, 2**32 - 1).map(lying_moof),
    st.builds(patched, st.integers(0, 600), st.integers(0, 255)),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.integers(0, 2), tail=garbage, after=garbage)
# A decode time that no journal can name once kept the recorder from starting.
@example(before=0, tail=b"", after=patched(UNJOURNALLED[0].data.index(b"tfdt") + 8, 12))
def test_garbage_at_the_end_is_cut_off_and_said(
    card: tuple[Path, HandClock], scratch: Path, before: int, tail: bytes, after: bytes
) -> None:
    whole = b"".join(one.data for one in UNJOURNALLED[:before])
    path = copy_with_tail(card[0], scratch, whole + tail + after)
    size_bytes = path.stat().st_size
    recovered = restart(scratch, after_reboot(card[1]))
    assert recovered.fragments >= before
    assert path.read_bytes().startswith(BEFORE + whole)
    assert path.stat().st_size + recovered.torn_bytes == size_bytes
    check_card(scratch)


def live_until_cut(root: Path, clock: HandClock, power: Power) -> Head:
    """A whole life on a card under `power`; the head of the journal at the last step that was acknowledged."""
    said = EMPTY
    try:
        spool = open_spool(root, DyingDisc(power), clock, signer_under(power, unit().recorder.signer))
    except PowerCutError:
        return said
    with living(spool):
        try:
            numbers, _ = start(spool, clock)
            for _ in Life(spool, numbers, clock).steps():
                said = spool.journal.head()
            spool.close()
        except PowerCutError:
            pass
    return said


@pytest.mark.parametrize("torn", [False, True], ids=["between verbs", "within a verb"])
def test_a_life_cut_at_every_verb_and_every_commit_loses_nothing_that_was_acknowledged(torn: bool) -> None:
    for steps in range(1000):
        with fast_folder() as folder:
            clock, power = HandClock(), Power(steps, torn)
            said = live_until_cut(folder / "spool", clock, power)
            check_after_cut(folder / "spool", clock, said)
            if not power.gone:
                break
    assert steps > 50


@pytest.fixture(scope="module")
def wreck() -> Iterator[tuple[Path, HandClock]]:
    """A card that needs every hand of the recovery: a tail, an orphan, a release that was only journalled."""
    with fast_folder() as folder:
        root, clock = folder / "spool", HandClock(boot_us=EPOCH_US)
        spool = open_spool(root, PosixDisc(), clock)
        with living(spool):
            numbers, _ = start(spool, clock)
            life = Life(spool, numbers, clock, CUT)
            for _ in life.segment(life.begin(), CUT.fragments[:1], "length"):
                pass
            recording = f"{SEGMENT[:12]}-r0001"
            steps = life.segment(recording, CUT.fragments[1:2], "never")
            next(steps)
            next(steps)
            steps.close()
            spool.note("released", segment=SEGMENT, stored_bytes=1)
        with spool.paths.segment("0123456789ab-00002").open("ab") as file:
            file.write(CUT.fragments[2].data + CUT.fragments[3].data + CUT.fragments[4].data[:-1])
        spool.paths.segment("0123456789ab-00003").write_bytes(CUT.init[:100])
        yield root, clock


def recover_until_cut(root: Path, clock: HandClock, power: Power) -> None:
    try:
        spool = open_spool(root, DyingDisc(power), clock, signer_under(power, unit().recorder.signer))
    except PowerCutError:
        return
    with living(spool), suppress(PowerCutError):
        start(spool, clock)


def outcome(root: Path) -> tuple[object, ...]:
    """What must not depend on how often the recovery was cut."""
    entries = check_card(root)
    said = [(one.kind, dict(one.fields)) for one in entries if one.kind in ("recovered", "torn")]
    breaks = [(one.fields["cause"], one.fields["began"]) for one in entries if one.kind == "interruption"]
    files = {path.name: path.read_bytes() for path in (root / "segments").iterdir()}
    (account,) = accounts(entries)
    seals = [(one.fields["segment"], one.fields["sha256"]) for one in entries if one.kind == "segment"]
    return said, breaks, files, seals, account.total_us(Use.RECORDED), account.interruptions[0].start_us


@pytest.mark.parametrize("torn", [False, True], ids=["between verbs", "within a verb"])
def test_a_recovery_cut_at_every_verb_and_every_commit_ends_as_if_it_had_not_been(
    wreck: tuple[Path, HandClock], scratch: Path, torn: bool
) -> None:
    shutil.copytree(wreck[0], scratch)
    restart(scratch, after_reboot(wreck[1], off_s=60))
    expected = outcome(scratch)
    assert {path.name for path in (scratch / "segments").iterdir()} == {"0123456789ab-00002.mp4"}
    for steps in range(1000):
        shutil.rmtree(scratch)
        shutil.copytree(wreck[0], scratch)
        power = Power(steps, torn)
        second = after_reboot(wreck[1], off_s=60)
        recover_until_cut(scratch, second, power)
        if not power.gone:
            break
        restart(scratch, HandClock("f" * 32, 1_000_000, second.now().utc_us + 60_000_000))
        assert outcome(scratch) == expected
    assert steps > 8
