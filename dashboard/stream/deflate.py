"""permessage-deflate (RFC 7692) as this server offers it, with a limit on messages that holds to the byte."""

from __future__ import annotations

from collections.abc import Sequence

from websockets.exceptions import PayloadTooBig
from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.frames import Frame
from websockets.typing import ExtensionParameter

#: Memory for a connection's window: 2**12 bytes finds what repeats in a frame of rows.
WINDOW_BITS = 12


class BoundedDeflate(PerMessageDeflate):
    """The library's, but never a message cut short.

    zlib may have taken all of its input and still hold back what is over the limit; the library takes the rest of a
    short frame for the whole then, and a limit of 0, where the pieces before have reached it, for none. A byte more
    than the limit is asked for instead, and who gets it knows that the message is too large.
    """

    def decode(self, frame: Frame, *, max_size: int | None = None) -> Frame:
        """The frame, inflated. Raises PayloadTooBig over `max_size` bytes, ProtocolError for what is not deflated."""
        if max_size is None:
            return super().decode(frame)
        try:
            decoded = super().decode(frame, max_size=max_size + 1)
        except PayloadTooBig:
            raise PayloadTooBig(None, max_size) from None
        if len(decoded.data) > max_size:
            raise PayloadTooBig(None, max_size)
        return decoded


class _Factory(ServerPerMessageDeflateFactory):
    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[ExtensionParameter], PerMessageDeflate]:
        answer, made = super().process_request_params(params, accepted_extensions)
        return answer, BoundedDeflate(
            made.remote_no_context_takeover,
            made.local_no_context_takeover,
            made.remote_max_window_bits,
            made.local_max_window_bits,
            made.compress_settings,
        )


def deflate_extension() -> ServerPerMessageDeflateFactory:
    """Without context takeover: a frame is compressed once for everybody."""
    return _Factory(
        server_no_context_takeover=True, client_no_context_takeover=True, server_max_window_bits=WINDOW_BITS
    )
