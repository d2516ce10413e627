"""A spoken note plays in a browser as it is."""

from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.device.test_voice_note import BEGAN, spoken
from tests.web.test_playback import CHROMIUM, FLAGS

HEAR = """async url => {
    const audio = new Audio();
    const until = name => new Promise((done, failed) => {
        audio.addEventListener(name, done, {once: true});
        audio.addEventListener('error', () => failed(new Error(audio.error.message)), {once: true});
    });
    const loaded = until('loadedmetadata');
    audio.src = url;
    await loaded;
    const ended = until('ended');
    audio.playbackRate = 4;
    await audio.play();
    await ended;
    return {end: audio.currentTime, duration: audio.duration};
}"""


def test_a_note_plays_to_its_end(tmp_path: Path) -> None:
    note, page_file = tmp_path / "note.m4a", tmp_path / "page.html"
    note.write_bytes(spoken(*range(100)).finish(BEGAN))
    page_file.write_text("<!doctype html><title>note</title>")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.goto(page_file.as_uri())
        seen = page.evaluate(HEAR, note.as_uri())
        browser.close()
    assert 1.9 < seen["duration"] < 2.1
    assert abs(seen["end"] - seen["duration"]) < 0.1
