"""`liuhen clip`: a part of an opened segment that still verifies."""

from __future__ import annotations

import argparse
from pathlib import Path

from evidence.clip import Held, choose, held_parts
from evidence.errors import BadInputError
from evidence.io.command import Command
from evidence.io.durable import PosixDisc
from evidence.io.new_file import new_file
from evidence.io.verifying import one_line, reading
from evidence.journal import Entry, read_entry
from evidence.kinds import SEGMENT_SUFFIX

HELP = """Cut a clip out of an opened segment (X.mp4 with X.jws beside it): whole seconds as the recorder hashed them.

  liuhen clip X.mp4 --from 2026-11-21T21:18:05 --to 2026-11-21T21:18:25 --out clip.mp4
  liuhen clip X.mp4 --from 12 --to 32 --out clip.mp4       seconds from the start of X.mp4

Nothing is encoded anew, so the clip begins and ends with the whole fragments around these times. clip.jws, the
recorder's seal, comes with it: `liuhen verify clip.mp4` says that it is authentic, which parts it has, and that the
rest was withheld. Give both files away, never clip.mp4 alone."""


def cut(source: Path, since: str, until: str, target: Path) -> tuple[Entry, tuple[Held, ...]]:
    """Write the clip and the seal beside it; returns the seal and the parts. Raises LiuhenError; then nothing is left.

    The signature of the seal is not checked here: that is for whoever verifies the clip.
    """
    beside, sealed = target.with_suffix(".jws"), source.with_suffix(".jws")
    for path in (source, target):
        if path.suffix != SEGMENT_SUFFIX:
            raise BadInputError(str(path), f"does not end with {SEGMENT_SUFFIX}", "only opened segments can be cut")
    if not source.is_file() or not sealed.is_file():
        raise BadInputError(str(source), "or its entry is not there", f"put its seal into {sealed.name} beside it")
    seal = read_entry(one_line(sealed), str(sealed))
    if seal.kind != "segment":
        raise BadInputError(str(sealed), f"is an entry of kind {seal.kind}, not a seal")
    with reading(source) as read:
        parts = choose(seal, held_parts(seal, source.stat().st_size, read), since, until)
        with new_file(target) as file:
            for part in parts:
                file.write(read(part.offset_bytes, part.size_bytes))
            PosixDisc().create(beside, f"{seal.token}\n".encode("ascii"))
    return seal, parts


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="an opened segment, X.mp4, with X.jws beside it")
    parser.add_argument("--from", required=True, metavar="T", dest="since", help="ISO time, or seconds from the start")
    parser.add_argument("--to", required=True, metavar="T", dest="until", help="likewise")
    parser.add_argument("--out", type=Path, required=True, metavar="F", help="the clip, a new F.mp4; F.jws beside it")


def _run(options: argparse.Namespace) -> int:
    seal, (_, *parts) = cut(options.file, options.since, options.until, options.out)
    seconds = (parts[-1].end_us - parts[0].start_us) / 1e6
    which = f"parts {parts[0].index} to {parts[-1].index} of {len(seal.fields['parts'])}"
    print(f"{options.out}: {which} of {seal.fields['segment']}, {seconds:.1f} s; give {options.out.stem}.jws with it")
    return 0


CLIP = Command(HELP, _configure, _run)
