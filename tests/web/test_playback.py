"""What the vault holds plays in a browser, each segment by itself, as it is opened."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from evidence.io.clip_command import cut
from evidence.io.verify_files import verify_path
from evidence.verify import Verdict
from tests.sim.simulated import Left, simulated_shift

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
SPEED = 4
PLAY = """async ([url, speed]) => {
    const video = document.createElement('video');
    document.body.append(video);
    const until = name => new Promise((done, failed) => {
        video.addEventListener(name, done, {once: true});
        video.addEventListener('error', () => failed(new Error(video.error.message)), {once: true});
    });
    const loaded = until('loadedmetadata');
    video.src = url;
    await loaded;
    const start = video.currentTime;
    const ended = until('ended');
    video.playbackRate = speed;
    await video.play();
    await ended;
    const {totalVideoFrames, corruptedVideoFrames} = video.getVideoPlaybackQuality();
    return {width: video.videoWidth, height: video.videoHeight, start, end: video.currentTime,
            duration: video.duration, totalVideoFrames, corruptedVideoFrames, error: video.error};
}"""


@pytest.fixture(scope="module")
def shift(tmp_path_factory: pytest.TempPathFactory) -> Left:
    return simulated_shift(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def test_every_segment_plays_to_its_end_by_itself(shift: Left, browser: Browser, tmp_path: Path) -> None:
    page_file = tmp_path / "page.html"
    page_file.write_text("<!doctype html><title>playback</title>")
    assert len(shift.segments) == 2
    for segment in shift.segments:
        page = browser.new_page()
        page.goto(page_file.as_uri())
        seen = page.evaluate(PLAY, [segment.as_uri(), SPEED])
        page.close()
        assert seen["error"] is None
        assert (seen["width"], seen["height"]) == (640, 360)
        frames = int(probed(segment)["nb_read_packets"])
        assert seen["totalVideoFrames"] > frames / 2, "a browser may skip some at this speed"
        assert seen["corruptedVideoFrames"] == 0
        assert seen["end"] - seen["start"] > 1
        assert seen["end"] == pytest.approx(seen["duration"], abs=0.1)


def test_a_clip_plays_to_its_end_and_verifies(shift: Left, browser: Browser, tmp_path: Path) -> None:
    target, page_file = tmp_path / "clip.mp4", tmp_path / "page.html"
    page_file.write_text("<!doctype html><title>clip</title>")
    for source in shift.segments:
        cut(source, "1", "2.5", target)
        page = browser.new_page()
        page.goto(page_file.as_uri())
        seen = page.evaluate(PLAY, [target.as_uri(), SPEED])
        page.close()
        assert (seen["error"], seen["corruptedVideoFrames"]) == (None, 0)
        assert seen["end"] == pytest.approx(seen["duration"], abs=0.1)
        assert 1.4 < seen["end"] - seen["start"] < 4.5
        (withheld,) = verify_path(target, shift.trust).defects
        assert (withheld.verdict, withheld.what[:11]) == (Verdict.GAPS, "clip: parts")
        target.unlink()
        target.with_suffix(".jws").unlink()


def test_every_segment_is_what_it_should_be(shift: Left) -> None:
    for segment in shift.segments:
        assert (probed(segment)["codec_name"], probed(segment, "a")["codec_name"]) == ("h264", "aac")


def probed(path: Path, stream: str = "v") -> dict[str, Any]:
    """What ffprobe says of a stream; it must have nothing to complain about."""
    wanted = ["-count_packets", "-select_streams", stream, "-show_streams", "-of", "json"]
    done = subprocess.run(["ffprobe", "-v", "error", *wanted, path], check=True, capture_output=True, text=True)
    assert done.stderr == ""
    (found,) = json.loads(done.stdout)["streams"]
    return dict(found)
