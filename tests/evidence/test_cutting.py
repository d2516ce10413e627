"""A clip is whole fragments of an opened segment: it plays, and verifies with the rest withheld."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evidence.io.command import main
from evidence.io.verify_files import verify_path
from evidence.verify import Verdict
from tests.device.footage import EPOCH_US, tiny_footage
from tests.evidence.golden import CA_PEM, TRUST, Writer, hash_of, seal_fields, stamp

CUT = tiny_footage(8)
PARTS = (CUT.init, *(one.data for one in CUT.fragments))
COUNT = len(PARTS)
EPOCH = replace(stamp(), boot_us=EPOCH_US)
FIRST_US = CUT.fragments[0].info.pts_us


def seal(**changes: Any) -> str:
    described = [[len(part) + 30, hash_of(b"stored" + part), len(part), hash_of(part)] for part in PARTS]
    fields = seal_fields(PARTS) | {
        "parts": described, "bytes": sum(map(len, PARTS)), "sha256": hash_of(b"".join(PARTS)),
        "epoch": EPOCH.to_fields(),
    }  # fmt: skip
    return Writer().add("segment", fields | changes, certified=True).token


@pytest.fixture
def opened(tmp_path: Path) -> Path:
    path = tmp_path / "opened.mp4"
    path.write_bytes(b"".join(PARTS))
    path.with_suffix(".jws").write_text(f"{seal()}\n")
    return path


def clip(opened: Path, since: str, until: str, name: str = "clip.mp4") -> int:
    return main(["clip", str(opened), "--from", since, "--to", until, "--out", str(opened.with_name(name))])


def wall(second: float) -> str:
    """So many seconds after the first picture, as the overlay shows it."""
    at_us = EPOCH_US + FIRST_US + round(second * 1e6)
    return EPOCH.at_boot_us(at_us).local().replace(tzinfo=None).isoformat()


def utc(second: float) -> str:
    return EPOCH.at_boot_us(EPOCH_US + FIRST_US + round(second * 1e6)).to_fields()["utc"].removesuffix("Z") + "+00:00"


TIMES = {
    "seconds": ("2", "4", 3, 4),
    "within fragments": ("2.5", "3.2", 3, 4),
    "time on the picture": (wall(2), wall(4), 3, 4),
    "utc": (utc(2.5), utc(2.6), 3, 3),
    "from before the start": ("-5", "1", 1, 1),
    "to beyond the end": ("6.5", "99", 7, COUNT - 1),
    "everything": ("0", "1e9", 1, COUNT - 1),
}


@pytest.mark.parametrize("name", TIMES)
def test_a_clip_has_every_fragment_with_a_picture_of_its_time(
    opened: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    since, until, first, last = TIMES[name]
    assert clip(opened, since, until) == 0
    assert f"parts {first} to {last} of {COUNT} " in capsys.readouterr().out
    made = opened.with_name("clip.mp4")
    assert made.read_bytes() == PARTS[0] + b"".join(PARTS[first : last + 1])
    assert made.with_suffix(".jws").read_text() == opened.with_suffix(".jws").read_text()


def test_a_clip_verifies_and_says_what_was_withheld(
    opened: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify_path(opened, TRUST).verdict is Verdict.AUTHENTIC
    assert clip(opened, "2", "4") == 0
    report = verify_path(tmp_path / "clip.mp4", TRUST)
    told = f"clip: parts 3 to 4 of {COUNT}, the rest was withheld"
    assert [(one.verdict, one.where, one.what) for one in report.defects] == [(Verdict.GAPS, "clip.mp4", told)]
    (tmp_path / "ca.pem").write_bytes(CA_PEM)
    capsys.readouterr()
    assert main(["verify", str(tmp_path / "clip.mp4"), "--trust", str(tmp_path / "ca.pem")]) == 3
    assert capsys.readouterr().out.startswith("真实，但有缺失 authentic with gaps\n")


def test_no_bit_of_a_clip_can_be_changed_unseen(opened: Path, tmp_path: Path) -> None:
    assert clip(opened, "2", "4") == 0
    made = tmp_path / "clip.mp4"
    good = made.read_bytes()
    for place in range(0, len(good), 7):
        made.write_bytes(good[:place] + bytes([good[place] ^ 1 << place % 8]) + good[place + 1 :])
        assert verify_path(made, TRUST).verdict is Verdict.NOT_AUTHENTIC, place


def test_a_clip_of_a_clip_is_a_clip(opened: Path, tmp_path: Path) -> None:
    assert clip(opened, "1", "6") == 0
    assert clip(tmp_path / "clip.mp4", "1", "2", "again.mp4") == 0
    (told,) = verify_path(tmp_path / "again.mp4", TRUST).defects
    assert told.what == f"clip: parts 3 to 3 of {COUNT}, the rest was withheld"


def test_parts_cut_out_of_the_middle_are_no_clip(opened: Path) -> None:
    opened.write_bytes(b"".join((*PARTS[:3], *PARTS[5:])))
    (told,) = verify_path(opened, TRUST).defects
    assert (told.verdict, told.what) == (Verdict.GAPS, f"2 of {COUNT} parts are missing: 3, 4")


def test_a_clip_opens_in_ffprobe_with_its_own_times(opened: Path, tmp_path: Path) -> None:
    assert clip(opened, "2", "4") == 0
    command = ["ffprobe", "-v", "error", "-count_packets", "-select_streams", "v:0", "-show_entries",
               "stream=nb_read_packets,start_time", "-of", "csv=p=0", str(tmp_path / "clip.mp4")]  # fmt: skip
    said = subprocess.run(command, check=True, capture_output=True, text=True)
    start, pictures = said.stdout.strip().split(",")
    chosen = CUT.fragments[2:4]
    assert (said.stderr, int(pictures)) == ("", sum(one.info.frames for one in chosen))
    assert float(start) == pytest.approx(chosen[0].info.pts_us / 1e6, abs=0.01)


def altered(opened: Path) -> None:
    opened.write_bytes(opened.read_bytes()[:-1] + b"x")


def headless(opened: Path) -> None:
    opened.write_bytes(b"".join(PARTS[1:]))


def no_pictures(opened: Path) -> None:
    opened.write_bytes(PARTS[0])


def no_entry(opened: Path) -> None:
    opened.with_suffix(".jws").unlink()


def entry_of_another_kind(opened: Path) -> None:
    opened.with_suffix(".jws").write_text(f"{Writer().add('docked').token}\n")


def nothing(_opened: Path) -> None:
    pass


WRONG = {
    "altered": (altered, "2", "4", "is not what was signed"),
    "no init section": (headless, "2", "4", "nothing plays without it"),
    "no picture": (no_pictures, "2", "4", "holds no picture"),
    "no entry": (no_entry, "2", "4", "put its seal into opened.jws"),
    "another kind of entry": (entry_of_another_kind, "2", "4", "of kind docked, not a seal"),
    "no time": (nothing, "soon", "4", "is no time"),
    "not a number": (nothing, "nan", "4", "is no time"),
    "without end": (nothing, "0", "inf", "is no time"),
    "backwards": (nothing, "4", "2", "has no picture here"),
    "too late": (nothing, "100", "200", "the pictures are from "),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_cut_is_told_in_one_line_and_leaves_nothing(
    opened: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    harm, since, until, told = WRONG[name]
    harm(opened)
    assert clip(opened, since, until) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not list(opened.parent.glob("clip.*"))


def test_nothing_is_written_over(opened: Path, tmp_path: Path) -> None:
    (tmp_path / "clip.jws").write_text("mine")
    assert clip(opened, "2", "4") == 2
    assert not (tmp_path / "clip.mp4").exists()
    assert (tmp_path / "clip.jws").read_text() == "mine"
    (tmp_path / "clip.jws").unlink()
    assert clip(opened, "2", "4") == 0
    assert clip(opened, "1", "4") == 2
    assert clip(opened, "2", "4", "opened.mp4") == 2


def test_a_clip_is_cut_from_an_opened_segment_only(opened: Path, tmp_path: Path) -> None:
    sealed = opened.rename(tmp_path / "x.lhs")
    assert clip(sealed, "2", "4") == 2
    assert clip(opened, "2", "4") == 2
