"""A RAM disk served by FUSE as one file: every write and every flush is logged in order.

    python fusedisk.py MOUNTPOINT LOGFILE SIZE_MB

While LOGFILE.fail exists it refuses writes and flushes with EIO.
"""

from __future__ import annotations

import errno
import stat
import struct
import sys
from pathlib import Path
from typing import Any

import mfusepy

RECORD = struct.Struct("<cQI")
WRITE, FLUSH = b"W", b"F"
MEGABYTE = 1 << 20


class LoggingDisk(mfusepy.Operations):  # type: ignore[misc]
    """The one file is called `disk`."""

    use_ns = True

    def __init__(self, log: Path, size_bytes: int) -> None:
        self._bytes = bytearray(size_bytes)
        self._log = log.open("ab", buffering=0)
        self._fails = log.with_name(f"{log.name}.fail")

    def getattr(self, path: str, _handle: Any = None) -> dict[str, int]:
        if path == "/":
            return {"st_mode": stat.S_IFDIR | 0o700, "st_nlink": 2}
        if path == "/disk":
            return {"st_mode": stat.S_IFREG | 0o600, "st_nlink": 1, "st_size": len(self._bytes)}
        raise mfusepy.FuseOSError(errno.ENOENT)

    def readdir(self, _path: str, _handle: Any) -> list[str]:
        return [".", "..", "disk"]

    def open(self, _path: str, info: Any) -> int:
        info.direct_io = 1
        info.fh = 1
        return 0

    def read(self, _path: str, size: int, offset: int, _info: Any) -> bytes:
        return bytes(self._bytes[offset : offset + size])

    def write(self, _path: str, data: bytes, offset: int, _info: Any) -> int:
        self._refuse_when_told()
        self._bytes[offset : offset + len(data)] = data
        self._log.write(RECORD.pack(WRITE, offset, len(data)) + data)
        return len(data)

    def fsync(self, _path: str, _datasync: Any, _info: Any) -> int:
        self._refuse_when_told()
        self._log.write(RECORD.pack(FLUSH, 0, 0))
        return 0

    def flush(self, _path: str, _info: Any) -> int:
        return 0

    def truncate(self, _path: str, _length: int, _handle: Any = None) -> int:
        return 0

    def fallocate(self, *_: Any) -> int:
        raise mfusepy.FuseOSError(errno.EOPNOTSUPP)

    def _refuse_when_told(self) -> None:
        if self._fails.exists():
            raise mfusepy.FuseOSError(errno.EIO)


if __name__ == "__main__":
    disk = LoggingDisk(Path(sys.argv[2]), int(sys.argv[3]) * MEGABYTE)
    mfusepy.FUSE(disk, sys.argv[1], foreground=True, nothreads=True, raw_fi=True)
