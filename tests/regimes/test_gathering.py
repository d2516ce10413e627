"""Facts from journals alone: what a recorder wrote, what the dock said about it, and what neither knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from evidence.io.regime_files import shipped
from evidence.journal import Chain, Entry
from evidence.model import ClockGrade, Timestamp, utc_text
from evidence.receipts import DOCK
from evidence.regimes.facts import (
    ActFacts,
    Away,
    CaseFacts,
    Facts,
    FaultFacts,
    Field,
    ItemFacts,
    LookFacts,
    Moment,
    MonthFacts,
    PauseFacts,
    RecordingFacts,
    Said,
    ShiftFacts,
    Situation,
    Statement,
    Trigger,
    UnitFacts,
)
from evidence.regimes.gathering import Books, Gathered, gather
from evidence.standing import Standing
from evidence.verify import Verdict as Authenticity
from tests.evidence.golden import INTERRUPTION, PAUSE, RECORDER, RECORDING, SAMPLES, SEGMENT, hash_of, signer
from tests.regimes.days import us

MORNING_US = us("2026-11-25 08:00")
BOOTS = ("a" * 32, "b" * 32)
OFFICER = SAMPLES["sign_on"]
BROKEN = {"interruption": INTERRUPTION, "recording": RECORDING}


class Journal:
    """Writes entries at seconds after eight in the morning; the clock says `wrong_s` more."""

    def __init__(self, owner: str = RECORDER) -> None:
        self.chain = Chain(owner, signer(owner))
        self.entries: list[Entry] = []
        self.boot, self.grade, self.wrong_s = BOOTS[0], ClockGrade.NTP, 0

    def at(self, at_s: float) -> Timestamp:
        utc_us = MORNING_US + round((at_s + self.wrong_s) * 1e6)
        return Timestamp(utc_us, 480, self.grade, None, self.boot, round(at_s * 1e6))

    def add(self, at_s: float, kind: str, **changes: Any) -> Entry:
        entry = self.chain.make(self.at(at_s), kind, {**SAMPLES[kind], **changes})
        self.chain.advance(entry)
        self.entries.append(entry)
        return entry

    def begin(self, *, check: bool = True) -> None:
        self.add(0, "power_on")
        self.add(1, "sign_on")
        if check:
            self.add(2, "pre_use_check")
        self.add(60, "recording_started")

    def film(self, from_s: int, to_s: int, **seal: Any) -> Entry:
        epoch = {"boot": self.boot, "epoch_boot_us": from_s * 1_000_000}
        self.add(from_s, "init", **epoch)
        for second in range(from_s, to_s):
            pts_us = (second - from_s) * 1_000_000
            self.add(second + 1, "fragment", index=second - from_s + 1, pts_us=pts_us, duration_us=1_000_000)
        return self.add(to_s, "segment", **seal)

    def stop(self, at_s: int) -> None:
        self.add(at_s, "recording_stopped", ended_boot_us=at_s * 1_000_000)

    def store(self, at_s: float, seal: Entry) -> None:
        self.add(at_s, "stored", seal_seq=seal.seq, seal_hash=seal.head.hash)


def gathered(recorder: Journal, dock: Journal | None = None) -> Gathered:
    return gather(Books([] if dock is None else dock.entries, {RECORDER: recorder.entries}), [shipped("general")])


def only(found: Gathered, kind: type[Facts]) -> Any:
    (one,) = [fact for fact in found.facts if isinstance(fact, kind)]
    return one


def moment(at_s: float, grade: ClockGrade = ClockGrade.NTP) -> Moment:
    return Moment(MORNING_US + round(at_s * 1e6), grade)


def simple() -> tuple[Journal, Journal]:
    """A recording of ten seconds, stored an hour later."""
    recorder, dock = Journal(), Journal(DOCK)
    recorder.begin()
    seal = recorder.film(60, 70)
    recorder.stop(70)
    recorder.add(90, "docked")
    dock.store(3600, seal)
    return recorder, dock


def test_a_recording_its_shift_and_its_item() -> None:
    recorder, dock = simple()
    found = gathered(recorder, dock)
    recording = only(found, RecordingFacts)
    assert (recording.subject, recording.began, recording.ended) == (RECORDING, moment(60), moment(70))
    assert (recording.stored, recording.authenticity) == (moment(3600), Authenticity.AUTHENTIC)
    assert (recording.unexplained_us, recording.breaks, recording.said, recording.away) == (0, 0, None, None)
    assert recording.classified == frozenset(Field) - {Field.PARTY, Field.CAUSE}
    shift = only(found, ShiftFacts)
    assert (shift.subject, shift.officer, shift.fit, shift.recorded) == (f"{RECORDER}-s0001", "110123", True, True)
    assert only(found, ItemFacts).kept_until_us == us("2027-11-26 00:00")
    assert only(found, MonthFacts).subject == "2026-11"
    assert {entry.kind for entry in recording.entries} == {
        "recording_started", "recording_stopped", "segment", "stored",
    }  # fmt: skip


def test_nothing_is_known_of_an_empty_dock() -> None:
    assert gather(Books([], {}), []).facts == ()
    assert gather(Books([], {RECORDER: []}), []).facts == ()


def test_a_clock_that_is_set_later_dates_what_came_before_in_the_same_boot() -> None:
    recorder = Journal()
    recorder.grade, recorder.wrong_s = ClockGrade.UNSET, -(10**9)
    recorder.begin()
    assert not only(gathered(recorder), RecordingFacts).began.believed
    recorder.grade, recorder.wrong_s = ClockGrade.NTP, 0
    recorder.add(80, "clock")
    assert only(gathered(recorder), RecordingFacts).began == moment(60)


def test_a_recording_runs_until_it_is_stopped_or_something_comes_that_cannot_come_meanwhile() -> None:
    recorder = Journal()
    recorder.begin()
    recorder.film(60, 70)
    assert only(gathered(recorder), RecordingFacts).ended is None
    recorder.add(90, "docked")
    assert only(gathered(recorder), RecordingFacts).ended == moment(70)


def test_a_recording_is_stored_when_its_last_piece_is() -> None:
    recorder, dock = simple()
    note = recorder.add(95, "voice_note", interruption=None)
    assert only(gathered(recorder, dock), RecordingFacts).stored is None
    dock.add(7200, "blob_stored", blob=note.fields["blob"])
    assert only(gathered(recorder, dock), RecordingFacts).stored == moment(7200)


def test_of_what_died_with_its_card_nothing_is_stored() -> None:
    recorder = Journal()
    recorder.begin()
    recorder.stop(70)
    assert only(gathered(recorder), RecordingFacts).stored is None


def test_an_unsealed_segment_is_owed() -> None:
    recorder, dock = simple()
    recorder.add(96, "init", segment=f"{SEGMENT[:-1]}2")
    assert only(gathered(recorder, dock), RecordingFacts).stored is None


def test_what_is_stored_is_as_good_as_its_worst_segment() -> None:
    recorder, dock = Journal(), Journal(DOCK)
    recorder.begin()
    seal = recorder.film(60, 70, complete=False)
    recorder.stop(70)
    assert only(gathered(recorder, dock), RecordingFacts).authenticity is None
    dock.store(3600, seal)
    assert only(gathered(recorder, dock), RecordingFacts).authenticity is Authenticity.GAPS
    other = Journal(DOCK)
    other.add(3600, "stored", seal_seq=seal.seq, seal_hash=hash_of(b"another seal"))
    assert only(gathered(recorder, other), RecordingFacts).authenticity is Authenticity.NOT_AUTHENTIC


def test_the_statement_is_awaited_heard_or_missing() -> None:
    recorder = Journal()
    recorder.begin()
    recorder.add(61, "statement_asked")
    assert only(gathered(recorder), RecordingFacts).statement is Statement.AWAITED
    recorder.stop(70)
    assert only(gathered(recorder), RecordingFacts).statement is Statement.MISSING
    recorder.add(71, "statement_heard")
    assert only(gathered(recorder), RecordingFacts).statement is Statement.HEARD


def broken() -> Journal:
    """A break of 200 s that was reported; then it went on."""
    recorder = Journal()
    recorder.begin()
    recorder.film(60, 70)
    recorder.add(70, "interruption", began=recorder.at(70).to_fields())
    recorder.add(190, "reported", began=recorder.at(70).to_fields())
    recorder.add(270, "resumed")
    recorder.film(270, 280)
    recorder.stop(280)
    return recorder


def test_an_interruption_is_followed_to_the_written_explanation() -> None:
    recorder, dock = broken(), Journal(DOCK)
    (one,) = [fact for fact in gathered(recorder, dock).facts if fact.subject == INTERRUPTION]
    assert (one.standing, one.resumed, one.reported, one.report_due) == (Standing.REPORTED, True, True, True)
    assert (one.began, one.reason, one.written) == (moment(70), None, None)
    assert only(gathered(recorder, dock), RecordingFacts).unexplained_us == 200_000_000
    dock.add(9000, "explanation")
    (one,) = [fact for fact in gathered(recorder, dock).facts if fact.subject == INTERRUPTION]
    assert (one.standing, one.written) == (Standing.WRITTEN, moment(9000))
    assert only(gathered(recorder, dock), RecordingFacts).unexplained_us == 0


def test_what_people_obstructed_is_long_term_evidence() -> None:
    recorder, dock = broken(), Journal(DOCK)
    dock.store(3600, next(one for one in recorder.entries if one.kind == "segment"))
    assert only(gathered(recorder, dock), ItemFacts).triggers == frozenset()
    recorder.add(281, "reason", reason="obstruction", note=None)
    item = only(gathered(recorder, dock), ItemFacts)
    assert (item.triggers, item.kept_until_us) == (frozenset({Trigger.RESISTANCE}), None)


def test_a_pause_has_a_reason_and_an_end() -> None:
    recorder = Journal()
    recorder.begin()
    recorder.add(100, "paused", limit_s=60)
    assert only(gathered(recorder), PauseFacts) == PauseFacts(
        subject=PAUSE, reason=None, overrun=False, entries=only(gathered(recorder), PauseFacts).entries
    )
    recorder.add(110, "pause_reason", reason="secrets")
    recorder.add(160, "pause_ended")
    assert (only(gathered(recorder), PauseFacts).reason, only(gathered(recorder), PauseFacts).overrun) == (
        "secrets", False,
    )  # fmt: skip


def test_a_pause_that_nobody_ends_overruns() -> None:
    recorder = Journal()
    recorder.begin()
    recorder.add(100, "paused", limit_s=60)
    recorder.add(161, "battery")
    assert only(gathered(recorder), PauseFacts).overrun


def test_a_shift_without_a_check_and_one_in_which_nothing_was_used() -> None:
    recorder = Journal()
    recorder.add(0, "power_on")
    recorder.add(10, "docked")
    assert [fact for fact in gathered(recorder).facts if isinstance(fact, ShiftFacts)] == []
    recorder.boot = BOOTS[1]
    recorder.begin(check=False)
    recorder.add(61, "pre_use_check")
    shift = only(gathered(recorder), ShiftFacts)
    assert (shift.subject, shift.fit) == (f"{RECORDER}-s0002", None)


def test_a_fault_and_whether_the_recorder_was_used_after_it() -> None:
    recorder = Journal()
    recorder.add(0, "power_on")
    recorder.add(1, "fault", part="microphone")
    recorder.add(2, "fault", part="camera")
    recorder.add(3, "fault_cleared", part="camera")
    recorder.add(4, "recording_started")
    assert only(gathered(recorder), ShiftFacts).faults == (
        FaultFacts("microphone", cleared=False, used_after=True),
        FaultFacts("camera", cleared=True, used_after=False),
    )
    assert only(gathered(recorder), ShiftFacts).officer is None


def test_what_people_told_the_dock_counts() -> None:
    recorder, dock = simple()
    for kind in ("classified", "reviewed", "archived", "item_list"):
        dock.add(5000, kind)
    found = gathered(recorder, dock)
    assert only(found, RecordingFacts).classified == frozenset(Field)
    assert only(found, RecordingFacts).said == {Said.TIME, Said.PLACE, Said.BEING_RECORDED}
    assert only(found, MonthFacts).archived == moment(5000)
    unit = only(found, UnitFacts)
    assert (unit.working_since, unit.spot_checked, unit.listed) == (moment(60), moment(5000), True)
    dock.add(5001, "item_list", matters=[["行政处罚", "", "", ""]])
    assert only(gathered(recorder, dock), UnitFacts).listed is False


def test_duty_elsewhere_gives_what_was_recorded_meanwhile_its_time() -> None:
    recorder, dock = simple()
    left = utc_text(MORNING_US)
    dock.add(100, "away", left=left, returned=None)
    assert only(gathered(recorder, dock), RecordingFacts).away == Away(None)
    dock.add(101, "away", left=left, returned=utc_text(MORNING_US + 9_000_000_000))
    assert only(gathered(recorder, dock), RecordingFacts).away == Away(moment(9000, ClockGrade.DOCK))
    dock.add(102, "away", left=left, returned=utc_text(MORNING_US + 30_000_000))
    assert only(gathered(recorder, dock), RecordingFacts).away is None


def case_item(*told: tuple[str, dict[str, Any]]) -> ItemFacts:
    recorder, dock = simple()
    for number, (kind, changes) in enumerate(told):
        dock.add(4000 + number, kind, **changes)
    item = only(gathered(recorder, dock), ItemFacts)
    assert isinstance(item, ItemFacts)
    return item


def test_a_case_keeps_its_recordings_as_long_as_its_file_and_only_lengthens() -> None:
    named: tuple[str, dict[str, Any]] = ("case", {})
    assert (case_item(named).in_case, case_item(named).kept_until_us) == (True, None)
    filed = case_item(named, ("case_filed", {"years": 10}))
    assert filed.kept_until_us == us("2036-11-26 00:00")
    shorter = case_item(
        named, ("case_filed", {"years": 10}), ("case_filed", {"years": 2}), ("case", {"recordings": []})
    )
    assert (shorter.in_case, shorter.kept_until_us) == (True, filed.kept_until_us)
    for_ever = case_item(named, ("case_filed", {"years": 10}), ("case_filed", {"years": None}))
    assert for_ever.kept_until_us is None
    assert case_item(("case", {"recordings": []}), ("case_filed", {"years": 10})).in_case is False


def test_long_term_evidence_has_no_end_and_wants_a_disc_of_its_own() -> None:
    once = case_item(("long_term", {}))
    assert (once.triggers, once.on_disc, once.kept_until_us) == (frozenset({Trigger.OBJECTION}), False, None)
    again = case_item(("long_term", {"medium": "光盘 1"}), ("long_term", {"trigger": "other"}))
    assert (again.triggers, again.on_disc) == (frozenset({Trigger.OBJECTION, Trigger.OTHER}), True)


def test_cases_and_acts_are_unknown_until_somebody_names_one() -> None:
    recorder, dock = simple()
    assert set(gathered(recorder, dock).unknown) == {ActFacts, CaseFacts, LookFacts}
    dock.add(4000, "act")
    dock.add(4001, "case_filed", years=1)
    found = gathered(recorder, dock)
    assert set(found.unknown) == {LookFacts}
    assert only(found, CaseFacts).filed == moment(4001)
    assert (only(found, ActFacts).situations, only(found, ActFacts).recordings) == (
        {Situation.SITE_CHECK}, (RECORDING,),
    )  # fmt: skip


@given(st.permutations(("LH-000001", "LH-000002", "LH-000003")))
def test_the_same_journals_give_the_same_facts_in_whatever_order_they_are_read(order: list[str]) -> None:
    recorder, dock = simple()
    books: Mapping[str, list[Entry]] = {name: [replace(one, device=name) for one in recorder.entries] for name in order}
    general = [shipped("general")]
    expected = gather(Books(dock.entries, dict(sorted(books.items()))), general)
    assert gather(Books(dock.entries, books), general) == expected
