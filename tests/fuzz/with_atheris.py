"""Coverage-guided: `python -m tests.fuzz.with_atheris TARGET SECONDS FOLDER`; exit code 0 for nothing but LiuhenError.

A process of its own for each target: libFuzzer ends the process that it runs in.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["evidence", "device", "dock", "sim", "json", "tomllib"]):
    from evidence.errors import LiuhenError
    from tests.fuzz.targets import Target, targets

MEMORY_LIMIT_MB = 1024
INPUT_LIMIT_BYTES = 65_536
HANG_S = 5


def fuzz(target: Target, seconds: int, folder: Path) -> None:
    """Does not return: libFuzzer ends the process, with exit code 0 only when the time was up."""

    def attack(data: bytes) -> None:
        with suppress(LiuhenError):
            target.parse(data)

    for number, seed in enumerate(target.seeds):
        (folder / str(number)).write_bytes(seed)
    options = [f"-max_total_time={seconds}", f"-rss_limit_mb={MEMORY_LIMIT_MB}", f"-timeout={HANG_S}"]
    options += [f"-max_len={INPUT_LIMIT_BYTES}", "-verbosity=0", f"-artifact_prefix={folder}/", str(folder)]
    atheris.Setup([sys.argv[0], *options], attack)
    atheris.Fuzz()


if __name__ == "__main__":
    fuzz(targets()[sys.argv[1]], int(sys.argv[2]), Path(sys.argv[3]))
