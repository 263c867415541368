"""Where frames end in the bytes of a client (RFC 6455 section 5.2): each is handled before the next is parsed.

The protocol object parses whatever it is given and queues its own answers; given one frame at a time, what came before
a bad frame is still answered, pongs keep their place among messages, and a flood is noticed frame by frame.
"""

from __future__ import annotations

from collections.abc import Iterator

from websockets.frames import Opcode
from websockets.utils import apply_mask

#: The longest header: 2 bytes, 8 of length, 4 of mask.
LONGEST_HEADER = 14


class FrameCuts:
    """Follows the frames of one connection. Nonsense is cut somewhere; the protocol object refuses it."""

    __slots__ = ("_begun", "checked", "head", "left")

    def __init__(self) -> None:
        #: The header of the frame in hand, and the bytes of its payload that have not come.
        self.head = b""
        self.left = 0
        #: How many bytes of its payload have been looked at before it was whole.
        self.checked = 0
        #: What has come of a header that is not whole yet.
        self._begun = b""

    @property
    def opcode(self) -> int:
        """Of the frame in hand, 0 before the first."""
        return self.head[0] & 0x0F if self.head else 0

    @property
    def between(self) -> bool:
        """Whether the next byte begins a frame."""
        return not self.left and not self._begun

    @property
    def plain_text(self) -> bool:
        """Whether the frame in hand begins a text that is not compressed."""
        return bool(self.head) and self.head[0] & 0x7F == Opcode.TEXT

    @property
    def continuation(self) -> bool:
        """Whether the frame in hand goes on with a message, and has no reserved bit."""
        return bool(self.head) and self.head[0] & 0x7F == Opcode.CONT

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """`data` cut behind each frame; the last piece may be a part of one."""
        at, end = 0, len(data)
        while at < end:
            begin = at
            if not self.left:
                head = self._begun + data[at : at + LONGEST_HEADER - len(self._begun)]
                size = _header_size(head)
                if len(head) < size:
                    self._begun = head
                    yield data[begin:]
                    return
                at += size - len(self._begun)
                self._begun = b""
                self.head, self.checked = head[:size], 0
                self.left = _payload_size(head)
            taken = min(self.left, end - at)
            self.left -= taken
            at += taken
            yield data if taken == end else data[begin:at]

    def unchecked(self, payload: bytearray) -> bytes:
        """What has come of the payload since this was last asked, unmasked; `payload` is all of it so far, masked."""
        turn = self.checked % 4
        key = self.head[-4:]
        fresh = apply_mask(payload[self.checked :], key[turn:] + key[:turn])
        self.checked = len(payload)
        return fresh


def _header_size(head: bytes) -> int:
    """How long the header is that begins with `head`, as far as that can be told."""
    if len(head) < 2:
        return 2
    return 2 + {126: 2, 127: 8}.get(head[1] & 0x7F, 0) + (4 if head[1] & 0x80 else 0)


def _payload_size(head: bytes) -> int:
    size = head[1] & 0x7F
    if size < 126:
        return size
    return int.from_bytes(head[2:4] if size == 126 else head[2:10], "big")
