"""The messages between recorders and this dock, as its rules see them: what came in, what goes out. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from dock.beside import blob_what, read_blob_name, read_interruption
from dock.manifest import hash_part, part_name, read_name
from evidence.errors import LiuhenError, RejectedError
from evidence.wire import Octets, Topic, Up, read_part


@dataclass(frozen=True, slots=True)
class Message:
    """What came in: a topic and its payload, and the hash of the part in it where somebody has taken that already."""

    topic: str
    payload: Octets
    part_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What to publish."""

    topic: str
    payload: bytes
    retain: bool = False


def read_message(topic: str, payload: Octets) -> Message:
    """A message with the hash of its part taken here: where it comes in, another thread has time for that."""
    if f"/{Up.FRAGMENT}/" not in topic:
        return Message(topic, payload)
    try:
        return Message(topic, payload, hash_part(read_part(payload)[1]))
    except LiuhenError:
        # What is wrong with it is found, and said, where it is taken in.
        return Message(topic, payload)


def one_line(error: LiuhenError) -> str:
    """The error in one short line of valid text: it may quote what a stranger sent."""
    return " ".join(str(error).split())[:1000].encode("utf-8", "replace").decode("utf-8")


def what_of(topic: Topic) -> str:
    """What a message was about, in words that are safe as a file's name."""
    try:
        match topic.name:
            case Up.FRAGMENT:
                return part_name(*read_name(topic.rest))
            case Up.BLOB:
                return blob_what(read_blob_name(topic))
            case Up.REPORT:
                return f"{Up.REPORT}/{read_interruption(topic)}"
    except RejectedError:
        pass
    return topic.name.value
