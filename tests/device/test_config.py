"""A configuration is right, or one line says what is wrong and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.config import CameraConfig, Config, load_config
from evidence.errors import ConfigError

FOLDERS = 'spool = "spool"\nidentity = "/etc/liuhen"\n'


def load(folder: Path, text: str | bytes) -> Config:
    path = folder / "recorder.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_config(path)


def test_folders_are_enough_and_begin_at_the_file(tmp_path: Path) -> None:
    config = load(tmp_path, FOLDERS)
    assert config == Config(spool=tmp_path / "spool", identity=Path("/etc/liuhen"))
    assert (config.camera.width, config.camera.height, config.recording.segment_s) == (1280, 720, 60)


def test_every_key_can_be_set(tmp_path: Path) -> None:
    text = """
        [camera]
        width = 640
        height = 360
        frames_per_s = 25
        bit_rate_bps = 800_000
        [recording]
        segment_s = 2
        pre_event_s = 0
        [storage]
        wanted_free_minutes = 0
        [uplink]
        window = 4
    """
    config = load(tmp_path, FOLDERS + text)
    assert config.camera == CameraConfig(640, 360, 25, 800_000)
    assert (config.recording.segment_s, config.recording.pre_event_s) == (2, 0)
    assert (config.storage.wanted_free_minutes, config.uplink.window) == (0, 4)


WRONG = {
    "no spool": ('identity = "x"', "lacks the folder spool"),
    "no identity": ('spool = "x"', "lacks the folder identity"),
    "an empty folder": ('spool = ""\nidentity = "x"', "lacks the folder spool"),
    "a number for a folder": ('spool = 3\nidentity = "x"', "lacks the folder spool"),
    "an unknown section": (f"{FOLDERS}[camra]\nwidth = 640", "unknown key camra"),
    "an unknown key": (f"{FOLDERS}[camera]\nwitdh = 640", "unknown key witdh .known are bit_rate_bps, frames_per_s"),
    "no section": (f"{FOLDERS}camera = 3", "is not a section"),
    "a text for a number": (f'{FOLDERS}[camera]\nwidth = "640"', "width = '640' .a whole number from 64 to 4096"),
    "a truth for a number": (f"{FOLDERS}[uplink]\nwindow = true", "window = True"),
    "a fraction": (f"{FOLDERS}[recording]\nsegment_s = 1.5", "segment_s = 1.5"),
    "not a number": (f"{FOLDERS}[recording]\nsegment_s = nan", "segment_s = nan"),
    "a segment of no length": (f"{FOLDERS}[recording]\nsegment_s = 0", "segment_s = 0 .a whole number from 1 to 60"),
    "a segment that is too long": (f"{FOLDERS}[recording]\nsegment_s = 61", "segment_s = 61"),
    "a buffer before the beginning": (f"{FOLDERS}[recording]\npre_event_s = -1", "pre_event_s = -1"),
    "a window of nothing": (f"{FOLDERS}[uplink]\nwindow = 0", "window = 0"),
    "an odd width": (f"{FOLDERS}[camera]\nwidth = 641", "an impossible size"),
    "a height that no encoder takes": (f"{FOLDERS}[camera]\nheight = 722", "an impossible size"),
    "not TOML": ("spool = ", "is not TOML"),
    "not text": (b"\xff\xfe", "is not TOML"),
}


@pytest.mark.parametrize(("text", "what"), WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_is_said_in_one_line_that_names_the_file(tmp_path: Path, text: str | bytes, what: str) -> None:
    with pytest.raises(ConfigError, match=what) as caught:
        load(tmp_path, text)
    assert str(tmp_path / "recorder.toml") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"recorder\.toml: cannot be read"):
        load_config(tmp_path / "recorder.toml")
