"""The tables of `dock.catalogue`: columns, and which of them say what about a thing."""

from __future__ import annotations

from sqlalchemy import Column, Integer, MetaData, Table, Text

INCOMING, STORED = "incoming", "stored"

METADATA = MetaData()
DEVICES = Table(
    "devices", METADATA,
    Column("device", Text, primary_key=True), Column("kid", Text, nullable=False), Column("assignment", Text),
)  # fmt: skip
JOURNALS = Table(
    "journals", METADATA,
    Column("owner", Text, primary_key=True), Column("seq", Integer, nullable=False), Column("hash", Text),
    Column("size_bytes", Integer, nullable=False),
)  # fmt: skip
SEGMENTS = Table(
    "segments", METADATA,
    Column("device", Text, primary_key=True), Column("segment", Text, primary_key=True),
    Column("state", Text, nullable=False), Column("parts", Integer), Column("stored_bytes", Integer),
    Column("seal", Text), Column("receipt", Text),
)  # fmt: skip
PARTS = Table(
    "parts", METADATA,
    Column("device", Text, primary_key=True), Column("segment", Text, primary_key=True),
    Column("part", Integer, primary_key=True), Column("offset_bytes", Integer, nullable=False),
    Column("stored_bytes", Integer, nullable=False), Column("stored_sha256", Text, nullable=False),
)  # fmt: skip
REJECTIONS = Table(
    "rejections", METADATA,
    Column("device", Text, primary_key=True), Column("what", Text, primary_key=True),
    Column("sha256", Text, primary_key=True), Column("times", Integer, nullable=False),
)  # fmt: skip
BLOBS = Table(
    "blobs", METADATA,
    Column("device", Text, primary_key=True), Column("blob", Text, primary_key=True),
    Column("entry", Text), Column("receipt", Text),
)  # fmt: skip
INTERRUPTIONS = Table(
    "interruptions", METADATA,
    Column("device", Text, primary_key=True), Column("interruption", Text, primary_key=True),
    Column("broken", Text), Column("reason", Text), Column("reported", Text), Column("report_received", Text),
    Column("written", Text), Column("report_taken", Text), Column("explanation", Text),
)  # fmt: skip
BLOCKS = Table(
    "blocks", METADATA,
    Column("device", Text, primary_key=True), Column("seq", Integer, primary_key=True),
    Column("other_hash", Text, nullable=False), Column("entry", Text, nullable=False), Column("cleared", Text),
)  # fmt: skip
FINDINGS = Table(
    "findings", METADATA,
    Column("device", Text, primary_key=True), Column("cause", Text, primary_key=True),
    Column("times", Integer, nullable=False),
)  # fmt: skip
RECEIVED = Table(
    "received", METADATA, Column("device", Text, primary_key=True), Column("utc_us", Integer, nullable=False)
)
# Of an interruption: under which column the first entry of each kind is kept, its token.
INTERRUPTION_COLUMNS = {
    "interruption": "broken", "reason": "reason", "reported": "reported", "report_received": "report_received",
    "written": "written", "report_taken": "report_taken", "explanation": "explanation",
}  # fmt: skip
