"""What signing and sealing cost, each beside the bare primitive in the same round: `python -m tests.bench.sealing`.

Rounds take turns, and a ratio is the median of the rounds' own ratios, because the machine's speed changes meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from timeit import timeit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from evidence.hpke import SUITE, open_base, seal_base
from evidence.io.heap import share_one_heap
from evidence.io.token_key import Use, make_token_key
from evidence.sealing import KeyVaultKey, Sealer, open_parts, read_head, unlock
from evidence.signing import KeySigner
from tests.evidence.softhsm import new_place

FRAGMENT_BYTES = 375_000
"""One second at 3 Mbit/s."""
FRAGMENTS = 60
ENTRY = os.urandom(700)
"""As long as an entry's token."""
SIGNATURES = 400
ROUNDS = 9
P256 = ec.SECP256R1()
ECDSA = ec.ECDSA(hashes.SHA256())
INFO = {"pts_us": 0, "duration_us": 1_000_000, "frames": 30, "samples": 48_000}
Work = Callable[[], object]


def per_second(work: Work, count: int) -> float:
    return count / timeit(work, number=count)


def compare(title: str, unit: str, ways: Mapping[str, Work], count: int, weight: float = 1.0) -> None:
    """Print every way's speed, and its share of the first one's, which is the bare primitive."""
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, work in ways.items():
            speeds[name].append(per_second(work, count) * weight)
    bare = next(iter(speeds.values()))
    print(title)
    for name, measured in speeds.items():
        ratio = median(one / other for one, other in zip(measured, bare, strict=True))
        print(f"  {name:<44} {max(measured):10,.0f} {unit}   {ratio:5.2f}")


def sign_and_verify(folder: Path) -> None:
    edwards, curve = ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(P256)
    token = make_token_key(new_place(folder, "sign"), Use.SIGN)
    for name, private, more in (("Ed25519", edwards, ()), ("P-256", curve, (ECDSA,))):
        signer = KeySigner(private)
        ways: dict[str, Work] = {
            "bare primitive": partial(private.sign, ENTRY, *more),
            "ours, key in a file": partial(signer.sign, ENTRY),
        }
        if private is curve:
            ways["ours, key in SoftHSM2, signature checked"] = partial(KeySigner(token).sign, ENTRY)
        compare(f"sign, {name}", "/s", ways, SIGNATURES)
        raw = private.sign(ENTRY, *more)
        ways = {
            "bare primitive": partial(private.public_key().verify, raw, ENTRY, *more),
            "ours": partial(signer.verify_key.verify, signer.sign(ENTRY), ENTRY),
        }
        compare(f"verify, {name}", "/s", ways, SIGNATURES)


def seal_and_open() -> None:
    plain, vault = os.urandom(FRAGMENT_BYTES), KeyVaultKey(ec.generate_private_key(P256))
    aead, nonce, digest = ChaCha20Poly1305(ChaCha20Poly1305.generate_key()), bytes(12), "A" * 43
    sealer = Sealer(vault.public, "BWC-0001", "3f2a9c1b7d04-00001")
    stored = sealer.seal(b"init")
    weight = FRAGMENT_BYTES / 1e6
    compare("seal a fragment of 375 kB", "MB/s", {
        "bare ChaCha20-Poly1305": lambda: aead.encrypt(nonce, plain, None),
        "record, its hash known": lambda: sealer.seal(plain, INFO, digest),
        "record and its hash": lambda: sealer.seal(plain, INFO),
        "SHA-256 alone": lambda: sha256(plain).digest(),
    }, FRAGMENTS, weight)  # fmt: skip
    writer = Sealer(vault.public, "BWC-0001", "3f2a9c1b7d04-00001")
    stored = writer.seal(b"init") + b"".join(writer.seal(plain, INFO) for _ in range(FRAGMENTS))
    sealed, view = aead.encrypt(nonce, plain, None), memoryview(stored)
    head = read_head(stored)
    key = unlock(head, vault)

    def open_all() -> None:
        for _ in open_parts(lambda offset, length: view[offset : offset + length], len(stored), head, key):
            pass

    def open_bare() -> None:
        for _ in range(FRAGMENTS):
            aead.decrypt(nonce, sealed, None)

    def open_and_hash() -> None:
        for _ in range(FRAGMENTS):
            sha256(aead.decrypt(nonce, sealed, None)).digest()

    ways: Mapping[str, Work] = {
        "bare ChaCha20-Poly1305": open_bare,
        "bare, and SHA-256": open_and_hash,
        "open_parts, each part's hash checked": open_all,
    }
    compare("open a segment of 60 fragments", "MB/s", ways, 1, weight * FRAGMENTS)


def wrap_and_unwrap(folder: Path) -> None:
    private = ec.generate_private_key(P256)
    token = make_token_key(new_place(folder, "vault"), Use.AGREE)
    key, info = os.urandom(32), b"liuhen segment key BWC-0001/3f2a9c1b7d04-00001"
    compare("wrap a segment's key", "/s", {
        "the library's HPKE": lambda: SUITE.encrypt(key, private.public_key(), info),
        "ours (the same, taken apart)": lambda: seal_base(private.public_key(), key, info),
    }, SIGNATURES)  # fmt: skip
    ours = seal_base(private.public_key(), key, info)
    theirs = SUITE.encrypt(key, private.public_key(), info)
    in_token = seal_base(token.public_key(), key, info)
    compare("unwrap a segment's key", "/s", {
        "the library's HPKE": lambda: SUITE.decrypt(theirs, private, info),
        "ours, key in a file": partial(open_base, KeyVaultKey(private), *ours, info),
        "ours, key in SoftHSM2": partial(open_base, KeyVaultKey(token), *in_token, info),
    }, SIGNATURES // 2)  # fmt: skip


def main() -> None:
    share_one_heap()
    with TemporaryDirectory() as folder:
        one, two = Path(folder) / "one", Path(folder) / "two"
        one.mkdir()
        two.mkdir()
        sign_and_verify(one)
        seal_and_open()
        wrap_and_unwrap(two)


if __name__ == "__main__":
    main()
