"""No bytes crash, hang or swell a parser: what it does not take is a LiuhenError, in one line and little memory."""

from __future__ import annotations

import gc
import json
import tracemalloc
from base64 import b64encode
from collections.abc import Iterator
from itertools import product
from time import process_time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evidence.errors import LiuhenError
from tests.fuzz.targets import Target, targets

CONSTANT_BYTES = 8 * 2**20
"""What a parser may need beside twice the input: a token of 256 KiB full of empty lists is 5 MB of lists."""
EXAMPLES = 30
SLOWEST_S = 2.0
"""Of processor time, for half a MiB of hostile bytes, under tracemalloc."""
BIG_BYTES = 1 << 19
SIZES_BYTES = (180 << 10, BIG_BYTES)
"""What still goes into a token, and what is too much for one."""

EDGES = (
    b"\0", b"\xff" * 8, b"\x80", b"\x7f\xff\xff\xff", b"9" * 5000, b"-1", b"1e999", b'"', b"\n", b"\\ud800", b"null",
    b"\xed\xa0\x80", b"[" * 3000, b"{}", b".", b"=",
)  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """Honest bytes that somebody has been at."""
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 40)))
        replaced = draw(
            st.sampled_from(EDGES)
            | st.binary(max_size=12)
            | st.just(data[start:end] * 3)
            | st.just(bytes(byte ^ 1 for byte in data[start:end]))
        )
        data = data[:start] + replaced + data[end:]
    return data


@pytest.fixture(scope="module", autouse=True)
def nobody_elses_garbage() -> Iterator[None]:
    """What the tests before these left lying about is not swept up, with all that its finalizers allocate, in these."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def run(target: Target, data: bytes) -> None:
    """Parse, and hold the parser to its promises."""
    began_s, said = process_time(), ""
    tracemalloc.start()
    try:
        target.parse(data)
    except LiuhenError as error:
        said = str(error)
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert len(said) < 2000
    assert peak <= 2 * len(data) + CONSTANT_BYTES, f"{peak} bytes for {len(data)}"
    assert process_time() - began_s < SLOWEST_S


@pytest.mark.parametrize("name", targets())
def test_honest_bytes_are_taken(name: str) -> None:
    """Otherwise the fuzzer would only ever see the first refusal."""
    refused = []
    for seed in targets()[name].seeds:
        try:
            targets()[name].parse(seed)
        except LiuhenError as error:
            refused.append(str(error))
    assert refused == []


@pytest.mark.parametrize("name", targets())
def test_damaged_bytes_are_refused_or_taken_and_nothing_else(name: str) -> None:
    target = targets()[name]

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(st.one_of(damaged(target.seeds), damaged(target.seeds), st.binary(max_size=300)))
    def attack(data: bytes) -> None:
        run(target, data)

    attack()


def _filled(opening: bytes, filling: bytes, closing: bytes = b"") -> bytes:
    return opening + filling * ((BIG_BYTES - len(opening) - len(closing)) // len(filling)) + closing


HOSTILE: dict[str, bytes] = {
    "lists within lists": _filled(b"", b"["),
    "objects within objects": _filled(b"", b'{"a":'),
    "empty lists": _filled(b'{"v":1,"segments":[', b"[],", b"[]]}"),
    "ranges": _filled(b'{"v":1,"journal_next":1,"lacks":{"x":[', b"[1,2],", b"[3,4]]}}"),
    "one long number": _filled(b'{"v":', b"9", b"}"),
    "one long text": _filled(b'{"v":1,"kind":"', b"\\u4e2d", b'"}'),
    "TOML arrays": _filled(b"a = ", b"["),
    "TOML tables": _filled(b"", b"[a]\n"),
    "TOML dotted keys": _filled(b"a", b".a", b" = 1"),
    "TOML inline tables": _filled(b"a = ", b"{a = "),
    "TOML one long number": _filled(b"port = ", b"9"),
    "line feeds": _filled(b"", b"\n"),
    "dots": _filled(b"", b"."),
    "two dots": _filled(b"e30.", b"A", b".AA"),
    "slashes": _filled(b"liuhen/v1/", b"/"),
    "zeros": bytes(BIG_BYTES),
    "ones": b"\xff" * BIG_BYTES,
    "boxes without content": _filled(b"", b"\0\0\0\x08moof"),
    "pairs without content": _filled(b"", b"\0\0\0\x08moof\0\0\0\x08mdat"),
    "boxes within boxes": b"".join((8 * depth).to_bytes(4, "big") + b"moov" for depth in range(BIG_BYTES // 8, 0, -1)),
    "DER within DER": _filled(b"", b"\x30\x83\x0f\xff\xff"),
    "PEM of rubbish": b"-----BEGIN CERTIFICATE-----\n" + b64encode(bytes(700_000)) + b"\n-----END CERTIFICATE-----\n",
    "PEM beginnings": _filled(b"", b"-----BEGIN CERTIFICATE REQUEST-----\n"),
    "PEM ends": _filled(b"", b"-----END CERTIFICATE REQUEST-----\n"),
    "a whole 64 KiB token of lists": json.dumps({"v": 1, "at": [[]] * 13_000}).encode(),
}


@pytest.mark.parametrize("name", targets())
def test_hostile_bytes_cost_no_more_than_they_weigh(name: str) -> None:
    broken = []
    for (kind, data), size in product(HOSTILE.items(), SIZES_BYTES):
        try:
            run(targets()[name], data[:size])
        except (AssertionError, RecursionError, ValueError, TypeError, MemoryError) as error:
            broken.append(f"{size} bytes of {kind}: {type(error).__name__}: {error}"[:200])
    assert broken == []
