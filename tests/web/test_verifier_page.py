"""The page for strangers, in a real browser: the same verdict as `liuhen verify`, whatever is done to the evidence."""

from __future__ import annotations

import json
import shutil
import socket
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page, sync_playwright

from evidence.account import Use, accounts
from evidence.approvals import OPEN_RULES
from evidence.certificates import Trust
from evidence.errors import BadInputError, LiuhenError
from evidence.io.command import main
from evidence.io.verifier_command import verifier_page
from evidence.io.verify_files import verify_path
from evidence.journal import Entry
from evidence.kinds import KINDS, check_fields
from evidence.persons import Person, are_two
from evidence.verify import Defect, Report, Verdict
from tests.evidence.golden import CA_PEM, FOREIGN_CA_PEM, RECORDER, SAMPLES, SEGMENT, Writer, hash_of
from tests.evidence.make_vectors import FOLDER
from tests.evidence.test_account import any_entry, events, play
from tests.web.chains import CHAINS
from tests.web.signed_for import SIGNED_FOR
from tests.web.stranger import BLOB, CASES, GOOD, Case, Files, receipt_for_another, unit

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "verifier.html"
VECTORS: Mapping[str, dict[str, Any]] = json.loads((FOLDER / "expected.json").read_text())

JUDGE = """async (dropped) => {
    const files = Object.entries(dropped).map(([path, base64]) => {
        const bytes = Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
        return fileOf(new File([bytes], path.split('/').pop()), path);
    });
    const result = await judgeFiles(files);
    const told = (of) => resultView(of).map((one) => one.textContent).join(' ');
    language = 'zh';
    const zh = told(result);
    language = 'en';
    const en = told(result);
    const defects = result.defects.map((one) => ({
        verdict: one.verdict, entry: one.where.entry, place: sayPlace(one.where), what: sayDefect(one),
    }));
    const { verdict, entries, segments, blobs } = result;
    return { verdict, defects, entries, segments, blobs, zh, en };
}"""
REACH_OUT = """async (port) => {
    const said = [];
    document.addEventListener('securitypolicyviolation', (event) => said.push(event.effectiveDirective));
    const there = `127.0.0.1:${port}/x`;
    const put = (tag, fields) => document.body.append(Object.assign(document.createElement(tag), fields));
    await fetch(`http://${there}`).catch(() => {});
    new WebSocket(`ws://${there}`);
    put('img', { src: `http://${there}.png` });
    put('script', { textContent: 'window.broken = 1' });
    await new Promise((resolve) => { setTimeout(resolve, 200); });
    return [said.sort(), 'broken' in window];
}"""
CHECK_FIELDS = """(cases) => new JsonReader(cases).whole().map(([kind, fields]) => {
    try {
        checkFields(kind, fields);
        return true;
    } catch (error) {
        if (error instanceof Trouble) return false;
        throw error;
    }
})"""
ACCOUNTS = """([entries, written]) => {
    const read = new JsonReader(entries).whole().map(({ kind, at, fields }) => ({ kind, at: readTime(at), fields }));
    const us = (one) => (one === null ? null : String(one));
    return accountsOf(read, written).map((account) => ({
        start: us(account.startUs), end: us(account.endUs),
        totals: Object.fromEntries(Object.entries(account.totals).map(([use, total]) => [use, us(total)])),
        spans: account.spans.map((one) => [us(one.startUs), us(one.endUs), one.use]),
        interruptions: account.interruptions.map((one) => [
            one.interruption, one.cause, one.reason, us(one.startUs), us(one.endUs), one.state]),
    }));
}"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(locale="en-GB")
        page.goto(PAGE.as_uri())
        yield page
        browser.close()


def told(page: Page, files: Files) -> dict[str, Any]:
    """What the page says to files that were dropped on it."""
    result: dict[str, Any] = page.evaluate(JUDGE, {path: b64encode(data).decode() for path, data in files.items()})
    return result


def verified(case: Case, root: Path) -> Report:
    """What `liuhen verify` says."""
    dock_journal = root / "dock/journal.jws" if case.dock_journal else None
    return verify_path(case.write(root), Trust(case.ca), dock_journal)


# The page itself.


def test_the_page_in_the_documents_is_the_one_that_the_source_makes() -> None:
    assert PAGE.read_bytes() == verifier_page(), "liuhen verifier docs/verifier.html"


def test_the_documents_name_the_hash_of_the_page() -> None:
    assert sha256(PAGE.read_bytes()).hexdigest() in (DOCS / "VERIFIER.md").read_text("utf-8")


def test_the_command_writes_the_page_and_says_its_hash(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verifier", str(tmp_path / "page.html")]) == 0
    written = (tmp_path / "page.html").read_bytes()
    assert written == verifier_page()
    assert capsys.readouterr().out == f"{sha256(written).hexdigest()}  page.html\n"


def test_the_command_says_where_it_could_not_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verifier", str(tmp_path / "nowhere" / "page.html")]) == 2
    assert "page.html: cannot be written" in capsys.readouterr().err


def test_the_page_can_reach_nothing(page: Page) -> None:
    """Its own policy stops every request before it leaves, so that nobody's evidence can."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        tried = page.evaluate(REACH_OUT, server.getsockname()[1])
        assert tried == [["connect-src", "connect-src", "img-src", "script-src-elem"], False]
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_person_chooses_files_and_reads_the_verdict_in_both_languages(page: Page, tmp_path: Path) -> None:
    page.reload()
    paths = []
    for name, content in GOOD.dropped.items():
        (tmp_path / name).write_bytes(content)
        paths.append(tmp_path / name)
    page.set_input_files("#files", paths[:1])
    page.wait_for_selector("#needs .given")
    assert page.query_selector(".verdict") is None, "a root alone is nothing to judge"
    page.click("#clear")
    page.set_input_files("#files", paths[1:])
    page.wait_for_selector(".verdict")
    assert "unit's root certificate (ca.pem) is needed" in page.inner_text(".verdict")
    page.set_input_files("#files", paths[:1])
    page.wait_for_selector("html[data-verdict=authentic]")
    assert page.inner_text(".verdict h2") == "Authentic"
    page.click("[data-language=zh]")
    assert page.inner_text(".verdict h2") == "真实完整"
    assert page.inner_text("h1") == "执法记录核验"
    page.click("#clear")
    assert page.query_selector(".verdict") is None


def test_every_word_is_there_in_both_languages(page: Page) -> None:
    assert page.evaluate("""() => [VERDICT_WORDS, VERDICT_MEANS, DEFECT_WORDS, TEXT, TERM_WORDS].flatMap((table) =>
        Object.entries(table).filter(([, words]) => words.length !== 2 || words.some((one) => !one)
            || String(words[0].match(/{\\w+}/g)?.sort()) !== String(words[1].match(/{\\w+}/g)?.sort())
        ).map(([name]) => name))""") == ["entry_word", "byte_word"]


def test_every_defect_that_the_rules_know_has_words(page: Page) -> None:
    assert page.evaluate("""(source) => {
        const thrown = /(?:bad|wrongAt|new Trouble)\\((?:\\w+, |[^()']*\\? )?'(\\w+)'/g;
        const codes = [...source.matchAll(thrown)].map((one) => one[1]);
        return [codes.length > 50, codes.filter((one) => !(one in DEFECT_WORDS))];
    }""", PAGE.read_text("utf-8")) == [True, []]  # fmt: skip


# The same verdict as `liuhen verify`.


@pytest.mark.parametrize("name", CASES)
def test_the_page_says_what_verify_says(page: Page, tmp_path: Path, name: str) -> None:
    case = CASES[name]
    report, result = verified(case, tmp_path), told(page, case.dropped)
    assert result["verdict"] == report.verdict.value
    said = Counter(verdicts(result))
    expected = Counter(defect.verdict.value for defect in report.defects if not strange(defect))
    # Behind a journal's first defect the page still judges a file by the entry beside it.
    assert said == expected if (tmp_path / case.path).is_file() else said >= expected
    exactly = {(defect.where.rpartition("/")[2], defect.what) for defect in report.defects if " byte " in defect.where}
    assert exactly <= {(one["place"], one["what"]) for one in result["defects"]}
    assert (result["segments"], result["blobs"]) >= (report.segments, report.blobs)


def strange(defect: Defect) -> bool:
    """A file in a vault that belongs to nothing: a stranger may drop what he likes, and is told what was not judged."""
    return defect.what == "is a file that no entry speaks of"


def verdicts(result: Mapping[str, Any]) -> list[str]:
    return [one["verdict"] for one in result["defects"]]


def test_the_table_holds_every_verdict(tmp_path: Path) -> None:
    found = {verified(case, tmp_path / str(number)).verdict for number, case in enumerate(CASES.values())}
    assert found >= {Verdict.AUTHENTIC, Verdict.GAPS, Verdict.UNKNOWN_KEY, Verdict.NOT_SIGNED, Verdict.NOT_AUTHENTIC}


@pytest.mark.parametrize("name", VECTORS)
def test_the_golden_vectors(page: Page, tmp_path: Path, name: str) -> None:
    files = {f"{RECORDER}/journal.jws": (FOLDER / name).read_bytes()}
    files |= {path: data for path, data in unit(receipt=False).vault().items() if path.startswith("dock/")}
    case = Case(files, RECORDER)
    report, result = verified(case, tmp_path), told(page, case.dropped)
    assert verdicts(result) == [one.verdict.value for one in report.defects]
    assert result["verdict"] == report.verdict.value
    entry = next((one["entry"] for one in result["defects"] if one["entry"] is not None), None)
    assert entry == VECTORS[name]["line"]
    if entry is not None:
        assert VECTORS[name]["verdict"] in verdicts(result)


WRONG: tuple[Any, ...] = (None, "", "x", -1, -2, 0, 1, 1.5, 2**63, True, [], {}, [1], ["x"], "x" * 1025, "\n", "a\n")


def kind_cases() -> Iterator[tuple[str, dict[str, Any]]]:
    for kind, sample in SAMPLES.items():
        yield kind, dict(sample)
        for name in sample:
            yield kind, {other: value for other, value in sample.items() if other != name}
            for wrong in WRONG:
                yield kind, {**sample, name: wrong}


def test_the_page_knows_every_kind_and_takes_and_refuses_the_same_fields(page: Page) -> None:
    cases = list(kind_cases())
    assert KINDS.keys() == SAMPLES.keys()
    answers = page.evaluate(CHECK_FIELDS, json.dumps(cases))
    wrong = [case for case, answer in zip(cases, answers, strict=True) if answer is not is_good(*case)]
    assert wrong == [], "evidence/stranger/kinds.js and evidence/kinds.py do not agree"


def is_good(kind: str, fields: Mapping[str, Any]) -> bool:
    try:
        check_fields(kind, fields, kind)
    except BadInputError:
        return False
    return True


# Certificates: chains of two, both algorithms, roles.


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_of_certificates_is_worth_what_verify_says(page: Page, tmp_path: Path, name: str) -> None:
    case, verdict = CHAINS[name]
    assert (told(page, case.dropped)["verdict"], verified(case, tmp_path).verdict) == (verdict, verdict)


def test_one_signature_of_es256_flipped(page: Page) -> None:
    case, _ = CHAINS["ES256 throughout"]
    for place in (-2, -40, -80):
        seal = bytearray(case.files[f"{SEGMENT}.jws"])
        seal[place] = ord("A") if seal[place] != ord("A") else ord("B")
        assert told(page, {**case.dropped, f"{SEGMENT}.jws": bytes(seal)})["verdict"] == "not authentic"


# What persons have signed for.


@pytest.mark.parametrize("name", SIGNED_FOR)
def test_what_persons_have_signed_for(page: Page, tmp_path: Path, name: str) -> None:
    case = SIGNED_FOR[name]
    report, result = verified(case, tmp_path), told(page, case.dropped)
    assert result["verdict"] == report.verdict.value
    assert [(one["verdict"], one["place"]) for one in result["defects"]] == [
        (one.verdict.value, one.where) for one in report.defects
    ]
    openings = [one.what for one in report.defects if one.what.startswith("opens ")]
    assert openings == [one["what"] for one in result["defects"] if one["what"].startswith("opens ")]


def test_every_verdict_on_what_persons_sign_is_in_the_table(tmp_path: Path) -> None:
    found = Counter(verified(case, tmp_path / str(number)).verdict for number, case in enumerate(SIGNED_FOR.values()))
    assert found.keys() == {Verdict.AUTHENTIC, Verdict.GAPS, Verdict.NOT_AUTHENTIC}
    assert min(found.values()) > 5


def test_two_spellings_are_one_name_to_both(page: Page) -> None:
    """Two who bear one name count as one person: in whatever width, case and spacing, in any script."""
    letters = [chr(one) for one in range(1, 0x110000) if chr(one).casefold() != chr(one) or chr(one).isspace()]
    pairs = [(one, other) for one in letters for other in (one.lower(), one.upper(), one.casefold(), f" {one}", "i")]
    expected = [are_two(Person("a", "1", one), Person("b", "2", other)) for one, other in pairs]
    two = """(pairs) => pairs.map(([one, other]) => areTwo(
        { person: 'a', kid: '1', name: one }, { person: 'b', kid: '2', name: other }))"""
    answers = page.evaluate(two, pairs)
    assert [pair for pair, is_two, answer in zip(pairs, expected, answers, strict=True) if is_two is not answer] == []


def test_every_refusal_of_an_opening_has_words(page: Page) -> None:
    codes = page.evaluate("() => OPEN_RULES.map(([code]) => [code in DEFECT_WORDS, ...(DEFECT_WORDS[code] || [])])")
    assert codes == [[True, *reversed(refusal.value)] for refusal, _ in OPEN_RULES]


# The account.


def json_of(entries: list[Entry]) -> str:
    return json.dumps([{"kind": e.kind, "at": e.at.to_fields(), "fields": dict(e.fields)} for e in entries])


def same_account(page: Page, entries: list[Entry], written: list[str]) -> None:
    expected = [
        {
            "start": str(one.start_us), "end": str(one.end_us),
            "totals": {use.value: str(one.total_us(use)) for use in Use},
            "spans": [[str(span.start_us), str(span.end_us), span.use.value] for span in one.spans],
            "interruptions": [
                [i.interruption, i.cause, i.reason, str(i.start_us), i.end_us and str(i.end_us), i.state]
                for i in one.interruptions
            ],
        }
        for one in accounts(entries, written)
    ]  # fmt: skip
    assert page.evaluate(ACCOUNTS, [json_of(entries), written]) == expected


FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FEW
@given(happenings=events, close=st.booleans())
def test_the_account_of_a_shift_is_the_same(page: Page, happenings: Any, close: bool) -> None:
    shift, _, _ = play(happenings)
    broken = [entry.fields["interruption"] for entry in shift.entries if entry.kind == "interruption"]
    same_account(page, shift.entries, broken[::2] if close else [])


@FEW
@given(entries=st.lists(any_entry, max_size=25))
def test_the_account_of_whatever_a_journal_says_is_the_same(page: Page, entries: list[Entry]) -> None:
    try:
        accounts(entries)
        json_of(entries)
    except (LiuhenError, OverflowError):
        return
    same_account(page, entries, [])


# What a reader sees beside the verdict.


def test_who_when_and_how_it_was_kept_stand_beside_the_verdict(page: Page) -> None:
    files = {"ca.pem": CA_PEM, **unit().vault()}
    result = told(page, files)
    assert result["verdict"] == "authentic"
    for words in (RECORDER, "张三", "110123", "network time", "2026-11-2", "the dock had it on", "Account of time"):
        assert words in result["en"]
    for words in (RECORDER, "张三", "交警一大队", "网络校时", "采集站于", "时间账", "无中断"):
        assert words in result["zh"]


def test_an_interruption_stands_there_with_its_reason(page: Page) -> None:
    writer = Writer()
    for kind in ("power_on", "sign_on", "recording_started", "interruption", "resumed", "reason", "recording_stopped"):
        writer.add(kind)
    result = told(page, {"ca.pem": CA_PEM, "journal.jws": writer.text})
    assert result["verdict"] == "authentic with gaps"
    assert "power loss" in result["en"]
    assert all(words in result["zh"] for words in ("意外断电", "电量不足", "已说明"))


def test_a_renamed_recording_is_known_by_its_bytes(page: Page) -> None:
    made = unit().vault()
    files = {path: data for path, data in made.items() if "journal" in path} | {"证据一.jpg": BLOB}
    result = told(page, {"ca.pem": CA_PEM, **files})
    assert "证据一.jpg" in result["en"]
    assert result["blobs"] == 1


def test_a_seal_of_its_own_has_to_stand_in_the_journal(page: Page) -> None:
    """The key is out: somebody signs another past with it, which only the journal tells apart."""
    made = unit().vault()
    beside = {path.replace("00001", "00009"): data for path, data in GOOD.files.items()}
    other = told(page, {"ca.pem": CA_PEM, **made, **beside})
    assert other["verdict"] == "not authentic"
    assert "00009.jws: is not the entry that stands in the journal" in other["en"]


def test_a_receipt_of_its_own_has_to_answer_the_seal(page: Page) -> None:
    for made, verdict in ((unit(), "authentic"), (receipt_for_another(seal_hash=hash_of(b"")), "not authentic")):
        held = made.vault()
        receipt = {f"receipts/{SEGMENT}.jws": held["dock/journal.jws"].splitlines(keepends=True)[-1]}
        files = {"x/" + path.rpartition("/")[2]: data for path, data in held.items() if SEGMENT in path}
        assert told(page, {"ca.pem": CA_PEM, **files, **receipt})["verdict"] == verdict


def test_what_is_no_evidence_is_named_and_not_judged(page: Page) -> None:
    result = told(page, {**GOOD.dropped, "readme.txt": b"hello"})
    assert result["verdict"] == "authentic"
    assert "Not judged: readme.txt" in result["en"]


def test_a_recording_without_any_entry_is_not_signed(page: Page) -> None:
    assert told(page, {"ca.pem": CA_PEM, "x.mp4": b"bytes"})["verdict"] == "not signed"


def test_two_roots_are_one_too_many(page: Page) -> None:
    assert told(page, {**GOOD.dropped, "other.pem": FOREIGN_CA_PEM})["verdict"] == "unknown key"


def test_memory_does_not_grow_with_the_file(page: Page) -> None:
    """The page never asks for more than a slice at once, whatever the size of a part."""
    largest = page.evaluate("""async () => {
        let largest = 0;
        const read = async (offset, length) => { largest = Math.max(largest, length); return new Uint8Array(length); };
        await matchParts([{ bytes: 40000000n, sha256: '' }], { name: 'x.mp4', size: 40000000, read }, async () => {});
        return largest;
    }""")
    assert largest == 4 * 1024 * 1024
