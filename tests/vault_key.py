"""The key to what a unit's recorders sealed: how tests look at pictures."""

from __future__ import annotations

from pathlib import Path

from dock.folder import DockFolder
from dock.passphrase import read_passphrase
from dock.vault_key import load_vault_key
from evidence.sealing import KeyVaultKey


def vault_key_of(dock: Path) -> KeyVaultKey:
    """The vault key of the dock in this folder, whose passphrase nobody has carried away."""
    folder = DockFolder(dock)
    return load_vault_key(folder.vault_key, read_passphrase(folder.vault_passphrase))
