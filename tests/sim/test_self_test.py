"""`liuhen sim --self-test`: the real self-test on simulated hardware, in the world's own time."""

from __future__ import annotations

import re

from tests.sim.simulated import sim

LIMIT_S = 20


def test_the_simulated_recorder_is_fit_within_twenty_seconds() -> None:
    run = sim("--self-test", "--size", "320x180")
    assert (run.end(), run.stderr) == (0, "")
    first, _, recording, *_ = run.stdout.splitlines()
    took = re.fullmatch(r"FIT for duty \(tested in ([0-9.]+) s\)", first)
    assert took is not None
    assert float(took[1]) < LIMIT_S
    assert re.search(r"ok +authentic, [4-9] fragments, [0-9]+ frames", recording)
