"""The five regulations over facts: what meets them, what breaks them, what time is left, which of several counts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.io.regime_files import all_shipped, shipped
from evidence.kinds import KINDS
from evidence.model import REGIMES, ClockGrade
from evidence.regimes import checks_recording
from evidence.regimes.calendar import day_of
from evidence.regimes.checks import CHECKS
from evidence.regimes.facts import (
    ActFacts,
    Cause,
    Excuse,
    Exhibit,
    Facts,
    FaultFacts,
    InterruptionFacts,
    ItemFacts,
    LookFacts,
    Moment,
    MonthFacts,
    Note,
    PauseFacts,
    RecordingFacts,
    Said,
    ShiftFacts,
    Situation,
    Statement,
    Trigger,
    UnitFacts,
)
from evidence.regimes.judging import Ruling, coming_due, judge, strictest
from evidence.regimes.model import SEVERITY, ArticleKind, Finding, Judgement, Rule, Verdict
from evidence.standing import Standing
from evidence.verify import Verdict as Authenticity
from tests.regimes.days import CASE, INTERRUPTION, NOW, RECORDING, UNTIL_US, at, away, bad_day, good_day, only, us
from tests.regimes.expected import BREAKS, MEETS, Row, rows

WORDS = {Verdict.MET: "met", Verdict.BROKEN: "broken", Verdict.PERSON: "person", Verdict.OPEN: "open"}
DAY_US = 86_400_000_000
UNSET = ClockGrade.UNSET


def told(findings: Iterable[Finding]) -> list[Row]:
    return [
        (one.article, one.check, one.subject, WORDS[one.verdict],
         None if one.deadline_us is None else str(day_of(one.deadline_us - 1)))
        for one in findings if one.check is not None
    ]  # fmt: skip


@pytest.mark.parametrize("regime", REGIMES)
def test_a_day_that_meets_a_regulation_meets_every_article_that_is_checked(regime: str) -> None:
    assert told(judge([shipped(regime)], good_day(regime), NOW)) == rows(MEETS[regime])


@pytest.mark.parametrize("regime", REGIMES)
def test_a_day_that_breaks_a_regulation_is_found_out_article_by_article(regime: str) -> None:
    assert told(judge([shipped(regime)], bad_day(), NOW)) == rows(BREAKS[regime])


@pytest.mark.parametrize("regime", REGIMES)
def test_every_rule_is_in_the_tables(regime: str) -> None:
    chosen = [(article.number, rule.check) for article in shipped(regime).articles for rule in article.rules]
    for table in (MEETS, BREAKS):
        assert [(article, check) for article, check, *_ in rows(table[regime])] == chosen


def test_every_check_is_chosen_by_a_regulation() -> None:
    assert {rule.check for one in all_shipped() for article in one.articles for rule in article.rules} == set(CHECKS)


@pytest.mark.parametrize("regime", REGIMES)
def test_every_article_has_a_finding_even_of_an_empty_day(regime: str) -> None:
    findings = judge([shipped(regime)], [], NOW)
    assert [one.article for one in findings] == [article.number for article in shipped(regime).articles]
    for finding, article in zip(findings, shipped(regime).articles, strict=True):
        if article.not_yet is not None or article.kind is ArticleKind.PERSON:
            assert finding.verdict is Verdict.PERSON
        elif article.kind is ArticleKind.OUTSIDE:
            assert finding.verdict is Verdict.OUTSIDE
        else:
            assert finding.verdict is Verdict.MET


def test_what_is_for_people_is_a_reminder_with_the_words_of_the_article() -> None:
    (finding,) = [one for one in judge([shipped("changzhi")], [], NOW) if one.article == "22"]
    assert finding.verdict is Verdict.PERSON
    assert "不得妨碍执法活动" in finding.why.zh
    assert "The officer says so" in finding.why.en


def test_a_finding_carries_the_entries_that_prove_it() -> None:
    (finding,) = [one for one in judge([shipped("weixian")], good_day("weixian"), NOW) if one.check == "offload"]
    assert finding.cites == "weixian art. 14"
    assert [(one.journal, one.seq, one.kind) for one in finding.proofs] == [
        ("LH-000001", 9, "recording_stopped"), ("LH-000001", 3, "stored"),
    ]  # fmt: skip


COMING = {"away", "classified", "reviewed"}
"""Kinds of entries of the dock's journal that issue 5 adds."""


def test_the_kinds_that_prove_something_are_kinds_of_entries() -> None:
    source = Path(checks_recording.__file__).read_text("utf-8")
    named = {kind for call in re.findall(r"facts\.proofs\(([^)]+)\)", source) for kind in re.findall(r'"(\w+)"', call)}
    assert len(named) > 15
    assert named - set(KINDS) - COMING == set()


def test_a_figure_of_the_units_own_is_said_to_be_that() -> None:
    by_check = {one.check: one for one in judge([shipped("xuchang")], bad_day(), NOW) if one.article in ("11", "19")}
    assert "the unit's own figure: the article says 及时" in by_check["offload"].why.en
    assert "期限系本单位规定" in by_check["continuous"].why.zh
    pingluo = [one for one in judge([shipped("pingluo")], bad_day(), NOW) if one.check == "offload"]
    assert "own figure" not in pingluo[0].why.en


# --- each check at its edges


def run(check: str, facts: object, now: Moment = NOW, **values: object) -> Judgement | None:
    return CHECKS[check].run(facts, values, now)


def verdict(check: str, facts: object, now: Moment = NOW, **values: object) -> Verdict | None:
    judged = run(check, facts, now, **values)
    return None if judged is None else judged.verdict


WAITING = replace(RECORDING, stored=None)


@pytest.mark.parametrize(
    ("stored", "now", "wanted"),
    [
        (None, "2026-09-30 23:59", Verdict.OPEN),
        (None, "2026-10-09 23:59", Verdict.OPEN),
        (None, "2026-10-10 00:00", Verdict.BROKEN),
        ("2026-10-09 23:59", "2026-10-20 00:00", Verdict.MET),
        ("2026-10-10 00:00", "2026-10-20 00:00", Verdict.BROKEN),
    ],
)
def test_two_working_days_over_the_national_holiday(stored: str | None, now: str, wanted: Verdict) -> None:
    facts = replace(RECORDING, stored=None if stored is None else at(stored))
    judged = run("offload", facts, at(now), working_days=2)
    assert judged is not None
    assert (judged.verdict, judged.deadline_us) == (wanted, us("2026-10-10 00:00"))


@pytest.mark.parametrize(
    ("returned", "now", "wanted", "until"),
    [
        (None, "2026-12-01 00:00", Verdict.OPEN, None),
        ("2026-10-12 09:00", "2026-10-13 08:59", Verdict.OPEN, "2026-10-13 09:00"),
        ("2026-10-12 09:00", "2026-10-13 09:00", Verdict.BROKEN, "2026-10-13 09:00"),
        ("2026-10-01 09:00", "2026-10-09 12:00", Verdict.OPEN, "2026-10-10 00:00"),
    ],
)
def test_who_was_away_has_24_hours_from_returning_and_never_less_than_the_others(
    returned: str | None, now: str, wanted: Verdict, until: str | None
) -> None:
    judged = run("offload", replace(WAITING, away=away(returned)), at(now), working_days=2, away_hours=24)
    assert judged is not None
    assert (judged.verdict, judged.deadline_us) == (wanted, None if until is None else us(until))


def test_what_is_stored_while_away_is_in_time() -> None:
    facts = replace(RECORDING, away=away(None), stored=at("2026-10-20 11:00"))
    assert verdict("offload", facts, working_days=2, away_hours=24) is Verdict.MET


def test_where_the_article_knows_no_absence_there_is_none() -> None:
    facts = replace(WAITING, away=away("2026-10-12 09:00"))
    assert verdict("offload", facts, at("2026-10-12 10:00"), same_day=True) is Verdict.BROKEN


@pytest.mark.parametrize(
    "facts",
    [
        replace(WAITING, ended=at("2026-09-30 10:00", UNSET)),
        replace(WAITING, away=away("2026-10-12 09:00"), stored=None, ended=at("2026-09-30 10:00", UNSET)),
        replace(RECORDING, stored=at("2026-09-30 18:00", UNSET)),
    ],
)
def test_a_clock_that_nobody_set_neither_meets_nor_breaks_a_deadline(facts: RecordingFacts) -> None:
    assert verdict("offload", facts, working_days=2, away_hours=24) is Verdict.PERSON


def test_a_dock_whose_clock_is_unset_breaks_nothing() -> None:
    assert verdict("offload", WAITING, Moment(us("2030-01-01 00:00"), UNSET), working_days=2) is Verdict.PERSON


def test_a_year_without_a_published_calendar_is_said() -> None:
    facts = replace(WAITING, ended=at("2031-01-03 10:00"))
    judged = run("offload", facts, at("2031-01-04 00:00"), working_days=2)
    assert judged is not None
    assert judged.deadline_us == us("2031-01-08 00:00")
    assert "2031年放假安排尚未公布" in judged.why.zh
    assert "the calendar of 2031 is not published yet: plain weekdays" in judged.why.en
    known = run("offload", WAITING, NOW, working_days=2)
    assert known is not None
    assert "not published" not in known.why.en


TABLE = [
    ("statement", replace(RECORDING, statement=Statement.AWAITED), {"phrases": (Said.TIME,)}, Verdict.OPEN),
    ("statement", replace(RECORDING, said=frozenset({Said.TIME})), {"phrases": (Said.TIME,)}, Verdict.MET),
    ("statement", replace(RECORDING, said=frozenset()), {"phrases": (Said.TIME,)}, Verdict.BROKEN),
    (
        "statement",
        replace(RECORDING, statement=Statement.MISSING, said=frozenset(Said)),
        {"phrases": tuple(Said)},
        Verdict.MET,
    ),
    ("start_and_end", replace(RECORDING, ended=None), {}, Verdict.OPEN),
    ("start_and_end", replace(RECORDING, ended=at("2026-09-30 10:00", UNSET)), {}, Verdict.PERSON),
    ("offload", replace(WAITING, ended=None), {"same_day": True}, Verdict.OPEN),
    ("intact", replace(RECORDING, authenticity=None), {}, None),
    ("intact", replace(RECORDING, authenticity=Authenticity.GAPS), {}, Verdict.PERSON),
    ("intact", replace(RECORDING, authenticity=Authenticity.UNKNOWN_KEY), {}, Verdict.PERSON),
    ("interruption", replace(INTERRUPTION, reason=Cause.SPOKEN), {"causes": (Cause.WEATHER,), "days": 2}, Verdict.MET),
    (
        "interruption",
        replace(INTERRUPTION, reason=Cause.OTHER),
        {"causes": (Cause.WEATHER,), "days": 2},
        Verdict.PERSON,
    ),
    (
        "interruption",
        replace(INTERRUPTION, resumed=False),
        {"causes": (Cause.DEVICE_FAULT,), "days": 2},
        Verdict.BROKEN,
    ),
    (
        "interruption",
        replace(INTERRUPTION, standing=Standing.REPORTED, report_due=True, reported=True),
        {"causes": (Cause.DEVICE_FAULT,), "days": 60, "report": True},
        Verdict.OPEN,
    ),
    (
        "interruption",
        replace(INTERRUPTION, standing=Standing.WRITTEN, resumed=False, written=at("2026-10-01 09:00")),
        {"causes": (Cause.DEVICE_FAULT,), "days": 2},
        Verdict.MET,
    ),
    (
        "interruption",
        replace(INTERRUPTION, report_due=True),
        {"causes": (Cause.DEVICE_FAULT,), "days": 2, "report": False},
        Verdict.MET,
    ),
    ("pause", PauseFacts(subject="p", reason="ordered", overrun=False), {"reasons": (Excuse.SECRETS,)}, Verdict.PERSON),
    ("pause", PauseFacts(subject="p", reason="secrets", overrun=True), {"reasons": (Excuse.SECRETS,)}, Verdict.PERSON),
    ("pre_use_check", ShiftFacts(subject="s", officer="1", fit=False, recorded=True), {}, Verdict.PERSON),
    ("pre_use_check", ShiftFacts(subject="s", officer="1", fit=False, recorded=False), {}, Verdict.MET),
    ("fault_stops_use", ShiftFacts(subject="s", officer="1", fit=True, recorded=True), {}, None),
    (
        "fault_stops_use",
        ShiftFacts(subject="s", officer="1", fit=True, recorded=True, faults=(FaultFacts("card", False, False),)),
        {},
        Verdict.PERSON,
    ),
    (
        "must_record",
        ActFacts(subject="a", situations=frozenset({Situation.HEARING}), recordings=()),
        {"situations": (Situation.SITE_CHECK,)},
        None,
    ),
    (
        "must_record",
        ActFacts(subject="a", situations=frozenset(), recordings=(), excuse=Excuse.CONDITIONS),
        {"situations": (Situation.ENFORCEMENT,), "excuses": (Excuse.CONDITIONS,)},
        Verdict.MET,
    ),
    (
        "must_record",
        ActFacts(subject="a", situations=frozenset(), recordings=(), excuse=Excuse.SECRETS),
        {"situations": (Situation.ENFORCEMENT,), "excuses": (Excuse.CONDITIONS,)},
        Verdict.BROKEN,
    ),
    ("case_file", replace(CASE, ended=None, filed=None), {"days": 20}, Verdict.OPEN),
    ("case_file", replace(CASE, filed=None), {"days": 20}, Verdict.OPEN),
    ("case_file", replace(CASE, filed=at("2026-10-22 00:00")), {"days": 20}, Verdict.BROKEN),
    ("evidence_statement", replace(CASE, exhibits=()), {"notes": (Note.MAKER,), "location": True, "days": 1}, None),
    (
        "evidence_statement",
        replace(CASE, exhibits=(Exhibit("r", False, True, frozenset(Note)),)),
        {"notes": tuple(Note), "location": True, "days": 1},
        Verdict.MET,
    ),
    (
        "evidence_statement",
        replace(CASE, exhibits=(Exhibit("r", False, True, frozenset(Note)),)),
        {"notes": tuple(Note), "location": False, "days": 1},
        Verdict.BROKEN,
    ),
    (
        "evidence_statement",
        replace(CASE, ended=None, exhibits=(Exhibit("r", False, False, frozenset()),)),
        {"notes": tuple(Note), "location": False, "days": 1},
        Verdict.OPEN,
    ),
    ("keep_as_case_file", ItemFacts(subject="m"), {}, None),
    ("keep_long_term", ItemFacts(subject="m"), {"triggers": tuple(Trigger)}, None),
    (
        "keep_long_term",
        ItemFacts(subject="m", triggers=frozenset({Trigger.OTHER})),
        {"triggers": tuple(Trigger)},
        Verdict.PERSON,
    ),
    (
        "keep_routine",
        ItemFacts(subject="m", destroyed=at("2027-10-01 00:00"), kept_until_us=UNTIL_US),
        {"months": 1},
        Verdict.MET,
    ),
    ("keep_routine", ItemFacts(subject="m", destroyed=at("2027-10-01 00:00")), {"months": 1}, Verdict.BROKEN),
    (
        "keep_routine",
        ItemFacts(subject="m", destroyed=at("2027-10-02 00:00", UNSET), kept_until_us=UNTIL_US),
        {"months": 1},
        Verdict.BROKEN,
    ),
    ("copy_through_one_unit", LookFacts(subject="l", approved=True), {}, None),
    ("copy_through_one_unit", LookFacts(subject="l", approved=True, leaves=True, copy_kept=True), {}, Verdict.BROKEN),
    ("secrets_asked", LookFacts(subject="l", approved=True), {}, None),
    (
        "monthly_archive",
        MonthFacts(subject="2026-12", year=2026, month=12, archived=None),
        {"working_days": 5},
        Verdict.OPEN,
    ),
    (
        "spot_check",
        UnitFacts(subject="u", working_since=at("2026-10-01 00:00"), spot_checked=None, listed=True),
        {"months": 1},
        Verdict.OPEN,
    ),
    (
        "item_list",
        UnitFacts(subject="u", working_since=at("2026-10-01 00:00"), spot_checked=None, listed=False),
        {},
        Verdict.BROKEN,
    ),
]


@pytest.mark.parametrize(("check", "facts", "values", "wanted"), TABLE)
def test_a_check_at_its_edges(check: str, facts: object, values: dict[str, object], wanted: Verdict | None) -> None:
    assert verdict(check, facts, **values) is wanted


def test_what_is_missing_is_named_in_both_languages() -> None:
    judged = run("statement", replace(RECORDING, said=frozenset({Said.TIME})), phrases=(Said.TIME, Said.PLACE))
    assert judged is not None
    assert judged.why == ("开场说明缺：地点", "the statement lacks place")


# --- what comes due


def test_deadlines_are_shown_before_they_pass_the_most_urgent_first() -> None:
    open_day = [WAITING, replace(CASE, filed=None), *only(good_day("pingluo"), "m1")]
    findings = judge([shipped("pingluo")], open_day, at("2026-10-08 12:00"))
    soon = coming_due(findings, us("2026-10-08 12:00"), 14 * DAY_US)
    assert [(one.check, one.verdict) for one in soon] == [("offload", Verdict.OPEN), ("case_file", Verdict.OPEN)]
    later = coming_due(findings, us("2026-10-08 12:00"), 400 * DAY_US)
    assert [one.check for one in later] == ["offload", "case_file", "keep_as_case_file"]


def test_what_was_done_in_time_does_not_come_due_again() -> None:
    findings = judge([shipped("pingluo")], [RECORDING], at("2026-10-08 12:00"))
    assert coming_due(findings, us("2026-10-08 12:00"), 14 * DAY_US) == ()


# --- several regulations on one unit


def test_of_several_deadlines_the_nearest_counts_and_says_why() -> None:
    findings = judge([shipped("pingluo"), shipped("weixian")], [WAITING], at("2026-09-30 12:00"))
    (ruling,) = [one for one in strictest(findings) if one.finding.check == "offload"]
    assert ruling.finding.cites == "weixian art. 14"
    assert ruling.why.en == (
        "by weixian art. 14: open until (2026-09-30), which is the strictest "
        "(beside pingluo art. 9: open until (2026-10-09))"
    )
    assert "从严适用" in ruling.why.zh


def test_a_regulation_that_is_broken_counts_more_than_one_that_is_met() -> None:
    late = replace(RECORDING, stored=at("2026-10-08 12:00"))
    findings = judge(all_shipped(), [late], NOW)
    (ruling,) = [one for one in strictest(findings) if one.finding.check == "offload"]
    assert (ruling.finding.cites, ruling.finding.verdict) == ("weixian art. 14", Verdict.BROKEN)
    assert {one.cites for one in ruling.others} == {"pingluo art. 9", "changzhi art. 29", "xuchang art. 11"}


@given(
    subsets=st.lists(st.sampled_from(REGIMES), unique=True, min_size=1),
    more=st.lists(st.sampled_from(REGIMES), unique=True),
    good=st.booleans(),
    day=st.integers(0, 60),
)
def test_one_more_regulation_never_makes_a_ruling_milder(
    subsets: list[str], more: list[str], good: bool, day: int
) -> None:
    facts = good_day("xuchang") if good else bad_day()
    now = Moment(us("2026-09-30 12:00") + day * DAY_US, ClockGrade.NTP)
    few = {(one.finding.check, one.finding.subject): one.finding for one in ruled(subsets, facts, now)}
    many = {(one.finding.check, one.finding.subject): one for one in ruled([*subsets, *more], facts, now)}
    for key, finding in few.items():
        ruling = many[key]
        assert SEVERITY.index(ruling.finding.verdict) >= SEVERITY.index(finding.verdict)
        if ruling.finding.verdict is finding.verdict and finding.deadline_us is not None:
            assert ruling.finding.deadline_us is not None
            assert ruling.finding.deadline_us <= finding.deadline_us
        for other in ruling.others:
            assert SEVERITY.index(ruling.finding.verdict) >= SEVERITY.index(other.verdict)


FIVE = all_shipped()


def ruled(names: Iterable[str], facts: Iterable[Facts], now: Moment) -> tuple[Ruling, ...]:
    return strictest(judge([one for one in FIVE if one.name in set(names)], facts, now))


@given(
    ended_day=st.integers(0, 2000),
    stored_day=st.none() | st.integers(0, 2100),
    now_day=st.integers(0, 2200),
    rule=st.sampled_from(
        [
            Rule("offload", {"same_day": True}),
            *(Rule("offload", {"working_days": days}) for days in (1, 2, 10)),
            *(Rule("offload", {"working_days": days, "away_hours": 24}) for days in (1, 2)),
        ]
    ),
)
def test_time_only_makes_an_open_deadline_broken_and_storing_never_breaks_one(
    ended_day: int, stored_day: int | None, now_day: int, rule: Rule
) -> None:
    start_us = us("2023-01-01 00:00")

    def moment(day: int) -> Moment:
        return Moment(start_us + day * DAY_US, ClockGrade.NTP)

    facts = replace(WAITING, ended=moment(ended_day))
    before = run("offload", facts, moment(now_day), **rule.values)
    after = run("offload", facts, moment(now_day + 1), **rule.values)
    assert before is not None
    assert after is not None
    assert before.deadline_us == after.deadline_us
    assert SEVERITY.index(after.verdict) >= SEVERITY.index(before.verdict)
    assert before.deadline_us is not None
    assert (before.verdict is Verdict.OPEN) == (moment(now_day).utc_us < before.deadline_us)
    if stored_day is not None and ended_day <= stored_day <= now_day:
        stored = run("offload", replace(facts, stored=moment(stored_day)), moment(now_day), **rule.values)
        assert stored is not None
        assert SEVERITY.index(stored.verdict) <= SEVERITY.index(before.verdict)


def test_the_interruption_of_a_silent_officer_is_open_until_the_written_explanation_is_due() -> None:
    silent: InterruptionFacts = replace(INTERRUPTION, standing=Standing.OPEN, reason=None)
    findings = judge([shipped("changzhi")], [silent], at("2026-10-08 12:00"))
    (finding,) = [one for one in findings if one.check == "interruption"]
    assert (finding.verdict, finding.deadline_us) == (Verdict.OPEN, us("2026-10-10 00:00"))
