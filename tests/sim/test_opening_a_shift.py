"""What a simulated shift has left at the dock, opened by two persons with the commands that they type."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from evidence.certificates import Trust
from evidence.io.command import EXIT_UNREADABLE, main
from evidence.io.verify_files import verify_path
from evidence.verify import Verdict

WORDS = {"zhang": "zhang has a long one", "li": "li has another one"}


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("shift") / "out"
    assert main(["sim", "--fast", "--seconds", "20", "--size", "320x180", "--out", str(out)]) == 0
    (made,) = (path.parent for path in out.rglob("ca.pem") if (path.parent / "vault").is_dir())
    return made


@pytest.fixture
def dock(station: Path, tmp_path: Path) -> Path:
    """The same dock for every test."""
    shutil.copytree(station, tmp_path / "station")
    for name, words in WORDS.items():
        (tmp_path / name).write_text(f"{words}\n")
    return tmp_path / "station"


class Typed:
    """Commands as they are typed; what they print is read as JSON."""

    def __init__(self, dock: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.dock = dock
        self.root = dock.parent
        self._capsys = capsys

    def __call__(self, words: str, *rest: object, code: int = 0) -> Any:
        done = main([*words.split(), str(self.dock), *map(str, rest), "--json"])
        out, err = self._capsys.readouterr()
        assert done == code, err
        return err if code else [json.loads(line) for line in out.splitlines()]

    def enrol(self) -> None:
        for name, chinese, number, role in (("zhang", "张三", "110123", "ask"), ("li", "李四", "110124", "approve")):
            out = self.root / f"{name}-keys"
            self("dock person add", chinese, "--number", number, "--role", role, "--out", out, *self.words(name))

    def words(self, name: str) -> Sequence[object]:
        return "--passphrase-file", self.root / name

    def key(self, name: str, number: str) -> Sequence[object]:
        return "--key", self.root / f"{name}-keys" / f"{number}.key", *self.words(name)

    def ask(self) -> str:
        whole_day = ("--from", "2026-01-01T00:00", "--to", "2027-01-01T00:00")
        (view,) = self("dock ask", "--recorder", "LH-000001", *whole_day, "--why", "复议", *self.key("zhang", "110123"))
        return str(view["request"]).lstrip("-")[:12]


@pytest.fixture
def typed(dock: Path, capsys: pytest.CaptureFixture[str]) -> Typed:
    made = Typed(dock, capsys)
    made.enrol()
    return made


def test_two_persons_open_a_shift_and_every_file_verifies_alone(typed: Typed) -> None:
    request, out = typed.ask(), typed.root / "out"
    vault = ("--passphrase-file", typed.dock / "root" / "vault.passphrase")
    refused = typed("open", request, "--out", out, *vault, code=EXIT_UNREADABLE)
    assert "未经批准，不得查阅" in refused
    assert refused.count("\n") == 1
    (approved,) = typed("dock approve", request, *typed.key("li", "110124"))
    assert (approved["asker"], approved["approvers"]) == ("张三 110123", ["李四 110124"])
    handed = typed("dock open", request, "--out", out, *vault)
    assert len(handed) >= 2
    trust = Trust((typed.dock / "ca.pem").read_bytes())
    for one in handed:
        report = verify_path(out / one["file"], trust)
        assert (report.verdict, report.entries) == (Verdict.AUTHENTIC, 1), report.defects
    assert verify_path(typed.dock / "vault", trust).verdict is Verdict.AUTHENTIC


def test_with_split_custody_two_shares_open_and_one_does_not(typed: Typed) -> None:
    request, shares = typed.ask(), typed.root / "shares"
    typed("dock approve", request, *typed.key("li", "110124"))
    typed("dock vault-key split", "--out", shares, "--passphrase-file", typed.dock / "root" / "vault.passphrase")
    given = [("--share", shares / f"share-{number}.txt") for number in (1, 2, 3)]
    for words in (("--passphrase-file", typed.dock / "root" / "vault.passphrase"), given[0]):
        err = typed("open", request, "--out", typed.root / "out", *words, code=EXIT_UNREADABLE)
        assert err.count("\n") == 1
    assert typed("open", request, "--out", typed.root / "out", *given[0], *given[2])


@pytest.mark.parametrize("words", ["short", ""])
def test_a_passphrase_that_is_none_is_refused(typed: Typed, words: str) -> None:
    (typed.root / "weak").write_text(words)
    rest = ("王五", "--number", "110125", "--role", "ask", "--out", typed.root / "w", *typed.words("weak"))
    assert typed("dock person add", *rest, code=EXIT_UNREADABLE).count("\n") == 1
    assert not (typed.root / "w").exists()
