"""The recorder's configuration: TOML to frozen dataclasses. An unknown key or an impossible value is an error."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from evidence.errors import ConfigError
from evidence.toml import read_toml

Section = TypeVar("Section")


@dataclass(frozen=True, slots=True)
class CameraConfig:
    """The picture. 1280x720 at 30 frames/s and 3 Mbit/s is 1.4 GB an hour."""

    width: int = 1280
    height: int = 720
    frames_per_s: int = 30
    bit_rate_bps: int = 3_000_000


@dataclass(frozen=True, slots=True)
class RecordingConfig:
    """How long a segment and the pre-event buffer are."""

    segment_s: int = 60
    pre_event_s: int = 30
    pre_event_sound: bool = True


@dataclass(frozen=True, slots=True)
class StorageConfig:
    """How much room the next shift wants: receipted segments are released, oldest first, until there is as much."""

    wanted_free_minutes: int = 480


@dataclass(frozen=True, slots=True)
class DutyConfig:
    """What the unit asks of its officers; every time is what the unit's regime or its head has set.

    `report_after_s` is how long an interruption may last before the head of the unit is told (pingluo 8),
    `offload_within_minutes` how old a recording may become before it is in the dock (pingluo 9, weixian 14).
    """

    language: str = "zh-CN"
    voice: bool = True
    planned_shift_minutes: int = 480
    statement_s: int = 30
    reason_s: int = 30
    report_after_s: int = 120
    pause_limit_minutes: int = 30
    offload_within_minutes: int = 2880


@dataclass(frozen=True, slots=True)
class UplinkConfig:
    """How many fragments may be under way without the dock's own acknowledgement."""

    window: int = 16


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that a technician may set. Relative paths start at the configuration file.

    `state` is where the recorder keeps what it has learnt of its battery, `run` where it tells how it is (on a Pi a
    folder in memory); nothing in them is evidence.
    """

    spool: Path
    identity: Path
    camera: CameraConfig = field(default_factory=CameraConfig)
    recording: RecordingConfig = field(default_factory=RecordingConfig)
    storage: StorageConfig = field(default_factory=StorageConfig)
    uplink: UplinkConfig = field(default_factory=UplinkConfig)
    duty: DutyConfig = field(default_factory=DutyConfig)
    state: Path | None = None
    run: Path | None = None

    @property
    def state_folder(self) -> Path:
        """`state`, or a folder of that name beside the spool."""
        return self.state or self.spool.parent / "state"

    @property
    def run_folder(self) -> Path:
        """`run`, or a folder of that name beside the spool."""
        return self.run or self.spool.parent / "run"


LANGUAGES = ("zh-CN", "en")
LIMITS = {
    "width": (64, 4096), "height": (64, 4096), "frames_per_s": (1, 120), "bit_rate_bps": (50_000, 50_000_000),
    "segment_s": (1, 60), "pre_event_s": (0, 120), "wanted_free_minutes": (0, 100_000), "window": (1, 64),
    "planned_shift_minutes": (1, 1440), "statement_s": (5, 600), "reason_s": (5, 600), "report_after_s": (5, 86_400),
    "pause_limit_minutes": (1, 1440), "offload_within_minutes": (1, 100_000),
}  # fmt: skip


def load_config(path: Path) -> Config:
    """Read a configuration file. Raises ConfigError that names file, key and what to do."""
    try:
        given = read_toml(path.read_bytes(), str(path))
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read: {error.strerror}") from error
    unknown = sorted(set(given) - {one.name for one in fields(Config)})
    if unknown:
        raise ConfigError(str(path), f"has the unknown key {unknown[0]}", "remove it or correct its spelling")
    camera = _section(CameraConfig, given, "camera", path)
    if camera.width % 2 or camera.height % 4:
        raise ConfigError(f"{path} [camera]", "has an impossible size", "an even width and a height divisible by 4")
    return Config(
        spool=_path(path, given, "spool"),
        identity=_path(path, given, "identity"),
        camera=camera,
        recording=_section(RecordingConfig, given, "recording", path),
        storage=_section(StorageConfig, given, "storage", path),
        uplink=_section(UplinkConfig, given, "uplink", path),
        duty=_section(DutyConfig, given, "duty", path),
        state=_path(path, given, "state") if "state" in given else None,
        run=_path(path, given, "run") if "run" in given else None,
    )


def _path(config: Path, given: dict[str, Any], name: str) -> Path:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise ConfigError(str(config), f"lacks the folder {name}", f'add {name} = "FOLDER"')
    return config.parent / value


def _section(kind: type[Section], document: dict[str, Any], name: str, path: Path) -> Section:
    given, where = document.get(name, {}), f"{path} [{name}]"
    if not isinstance(given, dict):
        raise ConfigError(where, "is not a section")
    known = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    for key, value in given.items():
        if key not in known:
            raise ConfigError(where, f"has the unknown key {key}", f"known are {', '.join(sorted(known))}")
        _check_value(where, key, value, default=getattr(kind(), key))
    return kind(**given)


def _check_value(where: str, key: str, value: Any, default: Any) -> None:
    """The default says what sort of value a key has."""
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise ConfigError(where, f"has {key} = {value!r}", "true or false")
        return
    if isinstance(default, str):
        if value not in LANGUAGES:
            raise ConfigError(where, f"has {key} = {value!r}", f"one of {', '.join(LANGUAGES)}")
        return
    low, high = LIMITS[key]
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ConfigError(where, f"has {key} = {value!r}", f"a whole number from {low} to {high}")
