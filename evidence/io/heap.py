"""How glibc keeps memory; elsewhere than on glibc these do nothing."""

from __future__ import annotations

import ctypes

HEAP_BYTES = 16 * 1024 * 1024
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
M_ARENA_MAX = -8


def keep_heap() -> None:
    """Keep freed memory for the next message instead of giving it back and faulting it in again."""
    _set(M_TRIM_THRESHOLD, HEAP_BYTES)
    _set(M_MMAP_THRESHOLD, HEAP_BYTES)


def share_one_heap() -> None:
    """One heap for all threads, because each thread's own keeps what it once needed: 10 % less memory in the agent."""
    _set(M_ARENA_MAX, 1)


def give_back() -> None:
    """Give free memory back to the system. Once in a while, a few milliseconds; setting thresholds costs 2 % of CPU."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)


def _set(option: int, value: int) -> None:
    libc = ctypes.CDLL(None)
    if hasattr(libc, "gnu_get_libc_version"):
        libc.mallopt(option, value)
