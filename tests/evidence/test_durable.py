"""The disc verbs: what each does and refuses, and that one which fails leaves things as they were."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.errors import DiscError, DiscFullError
from evidence.io.durable import Disc, PosixDisc, SharedDisc, make_folder

DISC: Disc = PosixDisc()
Tree = Mapping[str, bytes | None]
"""Names and contents; None is a folder."""

BEFORE: Tree = {"file": b"content", "other": b"other", "folder": None, "folder/inner": b"inner"}


def plant(root: Path) -> Path:
    for name, content in BEFORE.items():
        if content is None:
            (root / name).mkdir()
        else:
            (root / name).write_bytes(content)
    return root


def tree(root: Path) -> Tree:
    return {
        str(path.relative_to(root)): path.read_bytes() if path.is_file() else None for path in sorted(root.rglob("*"))
    }


Verb = Callable[[Path], object]

DOES: dict[str, tuple[Verb, Tree]] = {
    "create": (lambda root: DISC.create(root / "new", b"fresh"), {"new": b"fresh"}),
    "create empty": (lambda root: DISC.create(root / "new", b""), {"new": b""}),
    "append": (lambda root: DISC.append(root / "file", b" more", 7), {"file": b"content more"}),
    "append nothing": (lambda root: DISC.append(root / "file", b"", 7), {}),
    "write inside": (lambda root: DISC.write_at(root / "file", b"NT", 2), {"file": b"coNTent"}),
    "write over the end": (lambda root: DISC.write_at(root / "file", b"NT!!", 5), {"file": b"conteNT!!"}),
    "write beyond the end": (lambda root: DISC.write_at(root / "file", b"x", 9), {"file": b"content\0\0x"}),
    "write a new file": (lambda root: DISC.write_at(root / "new", memoryview(b"ab"), 2), {"new": b"\0\0ab"}),
    "sync": (lambda root: DISC.sync(root / "file"), {}),
    "replace": (lambda root: DISC.replace(root / "file", b"another"), {"file": b"another"}),
    "replace what is not there": (lambda root: DISC.replace(root / "new", b"fresh"), {"new": b"fresh"}),
    "move": (lambda root: DISC.move(root / "file", root / "folder" / "file"), {"folder/file": b"content"}),
    "truncate": (lambda root: DISC.truncate(root / "file", 3), {"file": b"con"}),
    "truncate to nothing": (lambda root: DISC.truncate(root / "file", 0), {"file": b""}),
    "truncate to its size": (lambda root: DISC.truncate(root / "file", 7), {}),
    "remove": (lambda root: DISC.remove(root / "file"), {}),
    "remove what is not there": (lambda root: DISC.remove(root / "new"), {}),
    "make folders": (lambda root: make_folder(root / "a" / "b"), {"a": None, "a/b": None}),
    "make a folder that is there": (lambda root: make_folder(root / "folder"), {}),
}
GONE_AFTER = {"move", "remove"}

REFUSES: dict[str, tuple[Verb, str]] = {
    "create over a file": (lambda root: DISC.create(root / "file", b"x"), "cannot create: File exists"),
    "create over a folder": (lambda root: DISC.create(root / "folder", b"x"), "cannot create: File exists"),
    "create in no folder": (lambda root: DISC.create(root / "none" / "new", b"x"), "No such file or directory"),
    "append to nothing": (lambda root: DISC.append(root / "new", b"x", 0), "cannot append to: No such file"),
    "append at the wrong end": (lambda root: DISC.append(root / "file", b"x", 6), "is 7 bytes long, expected 6"),
    "append beyond the end": (lambda root: DISC.append(root / "file", b"x", 8), "is 7 bytes long, expected 8"),
    "write to a folder": (lambda root: DISC.write_at(root / "folder", b"x", 0), "Is a directory"),
    "write in no folder": (lambda root: DISC.write_at(root / "none" / "new", b"x", 0), "No such file or directory"),
    "sync nothing": (lambda root: DISC.sync(root / "new"), "cannot sync: No such file or directory"),
    "replace a folder": (lambda root: DISC.replace(root / "folder", b"x"), "Is a directory"),
    "replace in no folder": (lambda root: DISC.replace(root / "none" / "new", b"x"), "No such file or directory"),
    "move over a file": (lambda root: DISC.move(root / "file", root / "other"), "cannot move to: File exists"),
    "move onto itself": (lambda root: DISC.move(root / "file", root / "file"), "File exists"),
    "move nothing": (lambda root: DISC.move(root / "new", root / "newer"), "No such file or directory"),
    "move into no folder": (lambda root: DISC.move(root / "file", root / "none" / "file"), "No such file"),
    "truncate nothing": (lambda root: DISC.truncate(root / "new", 0), "cannot truncate: No such file"),
    "truncate to more": (lambda root: DISC.truncate(root / "file", 8), "is 7 bytes long, cannot be cut to 8"),
    "remove a folder": (lambda root: DISC.remove(root / "folder"), "cannot remove"),
    "measure nothing": (lambda root: DISC.free_bytes(root / "new"), "cannot measure: No such file"),
    "a folder in the place of a file": (lambda root: make_folder(root / "file"), "cannot make: File exists"),
    "a folder below a file": (lambda root: make_folder(root / "file" / "inner"), "cannot make"),
}


@pytest.mark.parametrize("verb", DOES)
def test_a_verb_does_what_it_says_and_nothing_else(tmp_path: Path, verb: str) -> None:
    do, changes = DOES[verb]
    do(plant(tmp_path))
    left = {name: content for name, content in BEFORE.items() if not (verb in GONE_AFTER and name == "file")}
    assert tree(tmp_path) == dict(sorted({**left, **changes}.items()))


@pytest.mark.parametrize("verb", REFUSES)
def test_a_verb_that_fails_says_so_in_one_line_and_leaves_everything_as_it_was(tmp_path: Path, verb: str) -> None:
    do, told = REFUSES[verb]
    before = tree(plant(tmp_path))
    with pytest.raises(DiscError, match=told) as caught:
        do(tmp_path)
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in caught.value.where
    assert not caught.value.try_again
    assert tree(tmp_path) == before


def test_a_sync_that_fails_is_an_error() -> None:
    """A device takes every byte and cannot sync: whoever is told `stored` has been lied to."""
    for verb in (lambda: DISC.append(Path("/dev/null"), b"x", 0), lambda: DISC.sync(Path("/dev/null"))):
        with pytest.raises(DiscError, match="Invalid argument"):
            verb()


def test_a_disc_without_room_is_worth_trying_again() -> None:
    with pytest.raises(DiscFullError, match="No space left on device") as caught:
        DISC.write_at(Path("/dev/full"), b"x", 0)
    assert caught.value.try_again


def test_only_the_owner_reads_what_is_made(tmp_path: Path) -> None:
    DISC.create(tmp_path / "created", b"")
    DISC.replace(tmp_path / "replaced", b"")
    DISC.write_at(tmp_path / "written", b"", 0)
    make_folder(tmp_path / "folder")
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()}
    assert modes == {"created": "0o600", "replaced": "0o600", "written": "0o600", "folder": "0o700"}


def test_a_replace_that_was_cut_off_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "file.new").write_bytes(b"torn")
    DISC.replace(tmp_path / "file", b"whole")
    assert tree(tmp_path) == {"file": b"whole"}


def test_a_move_that_was_cut_off_leaves_both_names(tmp_path: Path) -> None:
    """Whoever finishes it sees the target and removes the source; nothing is overwritten meanwhile."""
    (tmp_path / "source").write_bytes(b"content")
    (tmp_path / "target").hardlink_to(tmp_path / "source")
    with pytest.raises(DiscError, match="File exists"):
        DISC.move(tmp_path / "source", tmp_path / "target")
    assert tree(tmp_path) == {"source": b"content", "target": b"content"}


def test_there_is_room() -> None:
    assert DISC.free_bytes(Path("/")) > 0


@given(pieces=st.lists(st.binary(max_size=50), max_size=5))
def test_appended_pieces_stand_one_after_the_other(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("append") / "file"
    DISC.create(path, b"")
    for piece in pieces:
        DISC.append(path, piece, path.stat().st_size)
    assert path.read_bytes() == b"".join(pieces)


# A disc that fills up in the middle of a verb: a file that may not grow over LIMIT bytes.

LIMIT = 8192
FULL = f"""
import json, resource, sys
from pathlib import Path
from evidence.errors import DiscFullError
from evidence.io.durable import PosixDisc

disc, root = PosixDisc(), Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, ({LIMIT}, {LIMIT}))
verbs = {{
    "create": lambda: disc.create(root / "new", b"x" * 10_000),
    "append": lambda: disc.append(root / "file", b"x" * 10_000, 5_000),
    "append just over": lambda: disc.append(root / "file", b"x" * 3_193, 5_000),
    "replace": lambda: disc.replace(root / "file", b"x" * 10_000),
    "write": lambda: disc.write_at(root / "file", b"x" * 10_000, 5_000),
    "append what fits": lambda: disc.append(root / "other", b"x" * 3_192, 5_000),
}}
try:
    verbs[sys.argv[2]]()
except DiscFullError as error:
    print(json.dumps({{"told": str(error), "again": error.try_again}}))
else:
    print(json.dumps({{"told": None}}))
"""


def fill(root: Path, verb: str) -> dict[str, object]:
    """In a process of its own, because the limit is the process's."""
    command = [sys.executable, "-c", FULL, str(root), verb]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    told: dict[str, object] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("verb", ["create", "append", "append just over", "replace"])
def test_a_verb_that_runs_out_of_room_leaves_everything_exactly_as_it_was(tmp_path: Path, verb: str) -> None:
    (tmp_path / "file").write_bytes(b"o" * 5_000)
    assert fill(tmp_path, verb) == {"told": f"{told_of(verb, tmp_path)}: File too large", "again": True}
    assert tree(tmp_path) == {"file": b"o" * 5_000}


def told_of(verb: str, root: Path) -> str:
    if verb == "create":
        return f"{root / 'new'}: cannot create"
    return f"{root / 'file.new'}: cannot create" if verb == "replace" else f"{root / 'file'}: cannot append to"


def test_a_write_that_runs_out_of_room_says_so_and_loses_nothing_that_was_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"o" * 5_000)
    assert fill(tmp_path, "write")["again"] is True
    assert (tmp_path / "file").read_bytes()[:5_000] == b"o" * 5_000


def test_what_just_fits_is_kept(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"o" * 5_000)
    assert fill(tmp_path, "append what fits") == {"told": None}
    assert (tmp_path / "other").stat().st_size == LIMIT


@pytest.mark.parametrize(("disc", "mode"), [(PosixDisc(), 0o600), (SharedDisc(), 0o640)], ids=["own", "shared"])
def test_only_what_is_meant_for_a_second_process_is_readable_to_its_group(
    tmp_path: Path, disc: Disc, mode: int
) -> None:
    disc.create(tmp_path / "created", b"x")
    disc.replace(tmp_path / "replaced", b"x")
    disc.write_at(tmp_path / "written", b"x", 0)
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {
        "created": mode, "replaced": mode, "written": mode,
    }  # fmt: skip
