"""What recording costs, against the `ffmpeg` command line doing the same work: CPU seconds per recorded second.

Both decode the same clip at its own pace, write two lines of text with a clock of milliseconds into every picture,
encode with the same x264 and AAC settings and write fragmented MP4. Ours also hashes, syncs, signs and journals.
They run side by side, so that whatever else the machine does slows down both; `--apart` runs them in turn instead.
Each is counted from a few seconds after its start, so that neither pays for beginning.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import pylopdf_fonts_zh_cn

from tests.bench.running import (
    OFFICER,
    PICTURES,
    Meter,
    Setup,
    dropped,
    entries,
    frames_of,
    running,
    set_up,
    verdict,
)

WARM_UP_S = 6
STOP_S = 1.5


def ffmpeg_command(setup: Setup, out: Path) -> list[str]:
    picture, size = setup.picture, setup.picture.height // 36
    clock, about = setup.root / "clock.txt", setup.root / "about.txt"
    clock.write_text("%{localtime:%Y-%m-%d} %{pts:hms} +08:00 NTP")
    about.write_text(f"{OFFICER.number} {OFFICER.name} {OFFICER.unit} LH-000001 ● 录像 REC")
    style = f"fontfile={pylopdf_fonts_zh_cn.sans_path()}:fontsize={size}:fontcolor=white:box=1:boxcolor=black:x=12"
    text = f"drawtext={style}:y=12:textfile={clock},drawtext={style}:y={12 + size * 5 // 4}:textfile={about}"
    rate, gop = str(picture.bit_rate_bps), str(picture.frames_per_s)
    return [
        "ffmpeg", "-v", "error", "-nostdin", "-progress", "pipe:1", "-y",
        "-re", "-stream_loop", "-1", "-i", str(setup.clip), "-vf", text,
        "-c:v", "libx264", "-preset", "superfast", "-tune", "zerolatency", "-profile:v", "high", "-threads:v", "2",
        "-pix_fmt", "yuv420p", "-g", gop, "-keyint_min", gop, "-sc_threshold", "0", "-forced-idr", "1",
        "-b:v", rate, "-maxrate", rate, "-bufsize", rate,
        "-c:a", "aac", "-b:a", "64k", "-ac", "1", "-ar", "48000",
        "-movflags", "+frag_keyframe+empty_moov+default_base_moof", "-f", "mp4", str(out),
    ]  # fmt: skip


@contextmanager
def ffmpeg(setup: Setup) -> Iterator[Meter]:
    """The peer at work, and what it spends."""
    out, meter = setup.root / "peer.mp4", Meter()
    process = subprocess.Popen(ffmpeg_command(setup, out), stdout=subprocess.PIPE, text=True)
    reader = threading.Thread(target=_read, args=(process, meter), daemon=True)
    reader.start()
    try:
        yield meter
    finally:
        process.kill()
        process.wait()
        reader.join()
        out.unlink()


def _read(process: subprocess.Popen[str], meter: Meter) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("frame="):
            meter.take(process.pid, int(line.removeprefix("frame=")))


class Ours:
    """The recorder at work, and what it spends; what was lost adds up."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self.skipped = 0

    @contextmanager
    def recording(self) -> Iterator[Meter]:
        with running(self._setup) as recorder:
            recorder.await_capture()
            recorder.press("record")
            yield recorder.meter
            recorder.press("stop")
            time.sleep(STOP_S)
        self.skipped += recorder.reading["frames_skipped"]


def costs(seconds: float, *meters: Meter) -> list[float]:
    """CPU seconds per frame of each, over the same time."""
    time.sleep(WARM_UP_S)
    from_s = time.monotonic()
    time.sleep(seconds)
    return [meter.cpu_per_frame_s(from_s) for meter in meters]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="of each counted run")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--apart", action="store_true", help="one after the other instead of side by side")
    parser.add_argument("--minutes", type=float, help="one long run of ours alone after the pairs, for its lost frames")
    parser.add_argument("--height", type=int, choices=PICTURES, default=1080)
    options = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with TemporaryDirectory(prefix="liuhen-bench-") as folder:
        setup = set_up(Path(folder), PICTURES[options.height])
        ours = Ours(setup)
        pairs = [_pair(ours, setup, options.seconds, options.apart) for _ in range(options.pairs)]
        if pairs:
            own, peer, ratio = (median(values) for values in zip(*pairs, strict=True))
            print(f"ours {own:.3f}, ffmpeg {peer:.3f} CPU s/s, medians of {len(pairs)} pairs")
            print(verdict("ours / ffmpeg", ratio, 1.0))
            print(f"the camera skipped {ours.skipped} frames while ffmpeg ran")
        if options.minutes:
            _long_run(ours, setup, options.minutes)


def _pair(ours: Ours, setup: Setup, seconds: float, apart: bool) -> tuple[float, float, float]:
    if apart:
        with ours.recording() as own_meter:
            (own,) = costs(seconds, own_meter)
        with ffmpeg(setup) as peer_meter:
            (peer,) = costs(seconds, peer_meter)
    else:
        with ours.recording() as own_meter, ffmpeg(setup) as peer_meter:
            own, peer = costs(seconds, own_meter, peer_meter)
    own, peer = own * setup.picture.frames_per_s, peer * setup.picture.frames_per_s
    print(f"ours {own:.3f}, ffmpeg {peer:.3f} CPU s/s, ratio {own / peer:.3f}")
    return own, peer, own / peer


def _long_run(ours: Ours, setup: Setup, minutes: float) -> None:
    before = ours.skipped
    with ours.recording() as meter:
        (cost,) = costs(minutes * 60, meter)
    print(f"{minutes:g} minutes: {cost * setup.picture.frames_per_s:.3f} CPU s/s")
    print(f"journalled {frames_of(entries(setup.spool, 'fragment'))} frames")
    print(verdict("frames that the camera skipped", ours.skipped - before, 0))
    print(verdict("frames that the recorder dropped", dropped(setup.spool), 0))


if __name__ == "__main__":
    main()
