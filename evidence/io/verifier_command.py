"""`liuhen verifier FILE`: the page with which a stranger verifies evidence, and its SHA-256.

The page is put together from evidence/stranger/ and nothing else, so the same bytes come out everywhere: whoever has
the source can make the page again and compare (docs/adr/0016-a-page-for-strangers.md).
"""

from __future__ import annotations

import argparse
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from evidence.errors import BadInputError
from evidence.io.command import Command

HELP = """Write the page with which a court or a party verifies evidence, and print its SHA-256.

One HTML file without network: it is opened in a browser, needs no installation, and judges by the rules of
`liuhen verify`. Give it away with the evidence; publish its SHA-256 and the fingerprint of ca.pem by another way."""
SCRIPTS = (
    "noble.js", "bytes.js", "json.js", "kinds.js", "certificates.js", "journal.js", "persons.js", "acts.js",
    "segments.js", "receipts.js", "account.js", "judge.js", "words.js", "view.js", "page.js",
)  # fmt: skip
"""In this order: what is used while a script is read stands before it."""
POLICY = "default-src 'none'; script-src '{script}'; style-src '{style}'; base-uri 'none'; form-action 'none'"


def verifier_page() -> bytes:
    """The whole page. Its policy (CSP level 3) lets run what is in it and no more, and forbids every connection."""
    licence = f"/*\nThe libraries in `noble`:\n\n{_read('noble/LICENSE')}*/\n"
    script = "\n" + licence + '"use strict";\n' + "".join(map(_read, SCRIPTS))
    style = "\n" + _read("page.css")
    policy = POLICY.format(script=_source(script), style=_source(style))
    page = _read("page.html").replace("{{policy}}", policy).replace("{{style}}", style)
    return page.replace("{{script}}", script).encode()


def _read(name: str) -> str:
    return (files("evidence") / "stranger" / name).read_text("utf-8")


def _source(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode('ascii')}"


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="where to write the page, for example verifier.html")


def _run(options: argparse.Namespace) -> int:
    page = verifier_page()
    try:
        options.file.write_bytes(page)
    except OSError as error:
        raise BadInputError(str(options.file), f"cannot be written: {error.strerror}") from error
    print(f"{sha256(page).hexdigest()}  {options.file.name}")
    return 0


VERIFIER = Command(HELP, _configure, _run)
