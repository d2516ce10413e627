"""What a recorder sent and the dock must not store as evidence: kept aside with its reason, and journalled, once."""

from __future__ import annotations

import logging
from hashlib import sha256

from dock.catalogue import Catalogue
from dock.dock_journal import DockJournal
from dock.folder import JOURNAL_OWNER
from dock.messages import one_line
from dock.vault import Vault
from evidence.errors import DiscFullError, LiuhenError
from evidence.signing import to_base64url
from evidence.wire import Octets

LOG = logging.getLogger("liuhen.dock")
REJECTIONS_LIMIT = 256
"""So many different contents of one recorder go to quarantine; a broken one must not fill the dock."""


class Aside:
    """One dock's quarantine and the entries `rejected` about it."""

    def __init__(self, journal: DockJournal, catalogue: Catalogue, vault: Vault) -> None:
        self._journal = journal
        self._catalogue = catalogue
        self._vault = vault

    def keep(self, device: str, what: str, content: Octets, error: LiuhenError, identity: bytes | None = None) -> None:
        """Once for each content; `identity` names it where the same trouble comes in others. Raises DiscError."""
        digest = to_base64url(sha256(content if identity is None else identity).digest())
        reason = one_line(error)
        LOG.warning("rejected recorder=%s what=%s reason=%s", device, what, reason)
        if self._catalogue.rejected_again(device, what, digest):
            return
        if self._catalogue.rejected_contents(device) >= REJECTIONS_LIMIT:
            LOG.error("recorder=%s has %d rejected contents, no more are kept", device, REJECTIONS_LIMIT)
            return
        try:
            kept = self._vault.quarantine(device, f"{what.replace('/', '_')}-{digest[:16]}", bytes(content), reason)
        except DiscFullError as full:
            LOG.error("not quarantined recorder=%s reason=%s", device, full)
            return
        with self._journal.adding() as add:
            fields = {"recorder": device, "what": what, "why": reason, "quarantine": kept, "sha256": digest}
            add("rejected", fields)
            self._catalogue.catch_up(JOURNAL_OWNER, self._journal.path)
