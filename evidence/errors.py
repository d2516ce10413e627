"""Every error answers three questions: whose fault, is it worth trying again, what may a person do."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """Whose fault an error is."""

    INPUT = "input"
    """What came in is wrong: a file, a message, an argument."""
    SENDER = "sender"
    """The other end broke the protocol or the chain."""
    MACHINE = "machine"
    """A disc, a sensor or a network failed."""
    OURS = "ours"
    """The program is wrong."""


class LiuhenError(Exception):
    """The one base. `where` names the thing, `what` the trouble, `hint` what a person may do."""

    fault = Fault.OURS
    try_again = False

    def __init__(self, where: str, what: str, hint: str = "") -> None:
        super().__init__(where, what, hint)
        self.where = where
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        """One line: where, what, and what to do."""
        return f"{self.where}: {self.what}" + (f" ({self.hint})" if self.hint else "")


class BadInputError(LiuhenError):
    """Bytes or text that are not what they should be: a damaged file, a wrong field, a bad argument."""

    fault = Fault.INPUT


class ConfigError(BadInputError):
    """A configuration that cannot be used: unknown key, impossible value, missing file."""


class SignatureError(LiuhenError):
    """A signature that does not fit the bytes and the key."""

    fault = Fault.SENDER


class UnknownKeyError(LiuhenError):
    """A key or certificate that no trusted CA vouches for."""

    fault = Fault.SENDER


class NewerVersionError(LiuhenError):
    """A format from a later version of this program: neither good nor bad, but not ours to judge."""

    fault = Fault.INPUT


class ChainError(LiuhenError):
    """An entry that does not follow the one before it: dropped, repeated, swapped, or a fork."""

    fault = Fault.SENDER


class RejectedError(LiuhenError):
    """Content that the dock must not store as evidence; it goes to quarantine with this reason."""

    fault = Fault.SENDER


class DiscError(LiuhenError):
    """A disc verb failed. What was acknowledged before it is safe; what it was doing is suspect."""

    fault = Fault.MACHINE


class DiscFullError(DiscError):
    """No room. Worth trying again once space has been released."""

    try_again = True


class KeyAwayError(DiscError):
    """A private key in a token that cannot be used now: nothing can be signed, so nothing can be journalled.

    For whoever writes a journal that is the same as a card that refuses, which is why it is one of those.
    """

    try_again = True


class LinkError(LiuhenError):
    """The broker or the other end is away."""

    fault = Fault.MACHINE
    try_again = True


class CaptureError(LiuhenError):
    """Camera, microphone, encoder or muxer failed."""

    fault = Fault.MACHINE
    try_again = True
