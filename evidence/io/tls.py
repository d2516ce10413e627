"""TLS 1.3 with certificates on both ends."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from evidence.errors import LinkError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


class TalkativeSocket(ssl.SSLSocket):
    """Remembers what paho only logs: why the connection broke."""

    trouble = ""

    def do_handshake(self, block: bool = False) -> None:
        """Closes the socket when the other end is not who it should be; paho forgets it."""
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """As ever. With TLS 1.3 the broker's refusal of our certificate arrives here."""
        try:
            return super().recv(buflen, flags)
        except OSError as error:
            self._remember(error)
            raise

    def recv_into(self, buffer: WriteableBuffer, nbytes: int | None = None, flags: int = 0) -> int:
        """As ever."""
        try:
            return super().recv_into(buffer, nbytes, flags)
        except OSError as error:
            self._remember(error)
            raise

    def send(self, data: ReadableBuffer, flags: int = 0) -> int:
        """As much as goes now. OpenSSL ends after every record, and for each paho would come all the way again."""
        sent_bytes = 0
        with memoryview(data) as view:
            try:
                while sent_bytes < len(view):
                    sent_bytes += super().send(view[sent_bytes:], flags)
            except OSError as error:
                self._remember(error)
                if sent_bytes == 0:
                    raise
        return sent_bytes

    def _remember(self, error: OSError) -> None:
        if not isinstance(error, (ssl.SSLWantReadError, ssl.SSLWantWriteError)):
            self.trouble = in_words(error)


def tls_context(ca_path: Path, certificate_path: Path, key_path: Path) -> ssl.SSLContext:
    """A client's context that trusts this root alone. Raises LinkError when a file cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.sslsocket_class = TalkativeSocket
    try:
        context.load_verify_locations(ca_path)
        context.load_cert_chain(certificate_path, key_path)
    except OSError as error:
        raise LinkError(str(certificate_path.parent), f"no usable certificate or key: {in_words(error)}") from error
    return context


def in_words(error: OSError) -> str:
    """What OpenSSL or the kernel said, without the numbers around it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the broker's certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return (error.reason or "TLS failed").lower().replace("_", " ")
    return error.strerror or str(error)
