"""Which tests show what is done about an article; a test holds that they exist. The rest of a row is in the TOML."""

from __future__ import annotations

from collections.abc import Mapping

from evidence.regimes.model import Article, ArticleKind

JUDGING = "tests/regimes/test_judging.py::"
LIVED = "tests/regimes/test_lived_days.py::"
GATHERING = "tests/regimes/test_gathering.py::"
CASES = "tests/dock/test_cases.py::"
FILING = "tests/dock/test_filing.py::"
BY_KIND: Mapping[ArticleKind, tuple[str, ...]] = {
    ArticleKind.SOFTWARE: (),
    ArticleKind.CHECKED: (
        f"{JUDGING}test_a_day_that_meets_a_regulation_meets_every_article_that_is_checked",
        f"{JUDGING}test_a_day_that_breaks_a_regulation_is_found_out_article_by_article",
        f"{LIVED}test_a_day_meets_a_regulation_as_far_as_recorder_and_dock_can",
        f"{LIVED}test_a_day_breaks_a_regulation_and_every_article_says_so",
    ),
    ArticleKind.PERSON: (f"{JUDGING}test_what_is_for_people_is_a_reminder_with_the_words_of_the_article",),
    ArticleKind.OUTSIDE: (f"{JUDGING}test_every_article_has_a_finding_even_of_an_empty_day",),
}

STATEMENT = (
    "tests/device/test_duties.py::test_a_statement_that_is_spoken_is_heard_and_nobody_is_reminded",
    "tests/device/test_duties.py::test_silence_is_reminded_of_twice_and_then_it_is_missing",
)
REASONS = (
    "tests/device/test_duties.py::test_as_many_presses_as_the_reason_has_in_the_list_explain_the_break",
    "tests/device/test_notes_and_stills.py::test_a_note_that_is_spoken_after_a_break_is_its_reason",
    "tests/dock/test_beside.py::test_a_draft_says_what_the_recorder_knows_and_the_written_explanation_closes_the_account",
)
REPORT = (
    "tests/sim/test_reports.py::test_a_report_goes_out_at_once_stays_until_it_is_explained_and_is_then_taken_back",
)
UNBROKEN = ("tests/sim/test_shift.py::test_the_account_adds_up_and_its_recorded_time_can_be_watched",)
CHECK = (
    "tests/device/test_watch_rest.py::test_go_and_no_go",
    "tests/device/test_watch_battery.py::test_after_the_alarm_5_to_30_minutes_remain_and_then_it_stops_alive",
)
OFFLOAD = (
    "tests/dock/test_intake.py::test_an_offload_ends_with_everything_in_the_vault",
    f"{JUDGING}test_two_working_days_over_the_national_holiday",
)
INTACT = (
    "tests/sim/test_shift.py::test_no_byte_can_change_unseen",
    "tests/sim/test_shift.py::test_no_file_can_vanish_unseen",
    "tests/dock/test_vault.py::test_the_vault_is_never_overwritten",
)
PROOF = ("tests/sim/test_shift.py::test_the_verifier_finds_everything_authentic", *INTACT)
PAUSE = ("tests/device/test_duties.py::test_a_declared_pause_keeps_nothing_and_is_explained_time",)
ASSIGNED = (
    "tests/dock/test_intake.py::test_an_offer_brings_the_assignment_even_one_made_meanwhile",
    "tests/device/test_controller.py::test_leaving_the_dock_begins_a_shift_of_whom_the_dock_assigned_meanwhile",
)
KEPT = (
    "tests/regimes/test_retention.py::test_nothing_is_destroyed_early_whatever_the_clocks_say",
    "tests/regimes/test_retention.py::test_a_case_a_trigger_or_a_hold_never_ends_it_earlier",
)
FAULT = ("tests/device/test_recorder.py::test_a_camera_that_stalls_is_started_again_and_the_gap_is_measured",)

LIST = (f"{FILING}test_the_list_of_matters_is_kept_and_what_it_lacks_is_found",)
CLASSIFIED = (
    f"{FILING}test_what_a_recorder_knows_is_filled_in_and_the_rest_is_asked_for",
    f"{FILING}test_where_nobody_signed_on_and_no_clock_was_set_all_of_it_is_asked_for",
)

EXHIBITS = (f"{CASES}test_each_recording_in_a_file_has_its_disc_and_its_notes",)
AS_CASE = (f"{GATHERING}test_a_case_keeps_its_recordings_as_long_as_its_file_and_only_lengthens",)
ACTS = (f"{CASES}test_an_act_has_recordings_or_an_excuse",)
CASE_FILE = (
    f"{CASES}test_a_case_is_counted_from_its_end_to_its_file",
    f"{CASES}test_only_recordings_that_are_known_and_cases_that_were_named",
)

BY_ARTICLE: Mapping[str, tuple[str, ...]] = {
    "pingluo 6": ASSIGNED,
    "pingluo 8": (*STATEMENT, *REASONS, *REPORT),
    "pingluo 7": (*LIST, *EXHIBITS),
    "pingluo 9": (
        *OFFLOAD,
        f"{JUDGING}test_who_was_away_has_24_hours_from_returning_and_never_less_than_the_others",
        f"{GATHERING}test_duty_elsewhere_gives_what_was_recorded_meanwhile_its_time",
    ),
    "pingluo 10": (*CASE_FILE, *EXHIBITS),
    "pingluo 11": (*KEPT, *AS_CASE),
    "pingluo 13": (f"{JUDGING}test_one_more_regulation_never_makes_a_ruling_milder",),
    "general 5": ACTS,
    "general 11": ACTS,
    "general 16": (*KEPT, *AS_CASE, *CASE_FILE),
    "general 17": ("tests/regimes/test_retention.py::test_cases_triggers_and_holds_lengthen",),
    "general 20": INTACT,
    "weixian 12": UNBROKEN,
    "weixian 13": STATEMENT,
    "weixian 14": OFFLOAD,
    "weixian 15": (*CHECK, *ASSIGNED),
    "weixian 16": FAULT,
    "weixian 17": CLASSIFIED,
    "weixian 18": KEPT,
    "weixian 19": ("tests/regimes/test_retention.py::test_cases_triggers_and_holds_lengthen",),
    "weixian 20": PROOF,
    "weixian 23": INTACT,
    "changzhi 6": LIST,
    "changzhi 13": ACTS,
    "changzhi 18": (*PAUSE, *ACTS),
    "changzhi 19": ("tests/sim/test_shift.py::test_every_picture_shows_the_time_at_which_it_was_captured",),
    "changzhi 20": (*STATEMENT, *UNBROKEN),
    "changzhi 21": REASONS,
    "changzhi 25": (*INTACT, *UNBROKEN),
    "changzhi 27": ASSIGNED,
    "changzhi 28": ASSIGNED,
    "changzhi 29": (*OFFLOAD, *CASE_FILE),
    "changzhi 32": (*INTACT, *KEPT),
    "xuchang 5": ACTS,
    "xuchang 9": (
        "tests/device/test_release.py::test_without_a_receipt_nothing_goes_however_full_the_card_is",
        "tests/faults/test_power_cut.py::test_no_power_cut_takes_what_a_dock_has_acknowledged",
    ),
    "xuchang 11": OFFLOAD,
    "xuchang 12": KEPT,
    "xuchang 13": ("tests/regimes/test_retention.py::test_cases_triggers_and_holds_lengthen",),
    "xuchang 14": PROOF,
    "xuchang 17": CLASSIFIED,
    "xuchang 18": UNBROKEN,
    "xuchang 19": (*STATEMENT, *REASONS, *PAUSE),
    "xuchang 20": CHECK,
    "xuchang 21": FAULT,
    "xuchang 23": INTACT,
}


def shown_by(regime: str, article: Article) -> tuple[str, ...]:
    """Those of the article itself first, then those that show its kind."""
    return (*BY_ARTICLE.get(f"{regime} {article.number}", ()), *BY_KIND[article.kind])
