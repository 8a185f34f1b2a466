"""Decompression piece by piece, with caps: a bomb is stopped after the first pieces, never unpacked."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Protocol

import brotli  # type: ignore[import-untyped]  # it ships no types
import zstandard

PIECE = 64 * 1024
ZSTD_SLICE = 64
"""Bytes of zstd input per step. A block of 4 bytes may stand for 128 KB, so a slice yields 2 MB at most."""
ZSTD_WINDOW = 8 * 1024 * 1024
"""RFC 8878 3.1.1.1.2 and RFC 9659: what a web client has to accept, and need not exceed."""

ACCEPT_ENCODING = "gzip, deflate, br, zstd"


class InflateError(Exception):
    """The body is not what its Content-Encoding says, or the encoding is unknown."""


class TooLarge(Exception):
    """The body would inflate beyond its cap."""


class Decoder(Protocol):
    """Turns compressed pieces into plain ones of bounded size."""

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield what this much input gives; raises InflateError."""
        ...


class Identity:
    """No compression."""

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield the input."""
        yield data


class Zlib:
    """gzip, and deflate with or without its zlib header (servers do either)."""

    def __init__(self, *, gzip: bool) -> None:
        self._inflate = zlib.decompressobj(31 if gzip else 15)
        self._may_be_raw = not gzip

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield pieces of at most 64 KB; anything after the end of the stream is ignored."""
        while data and not self._inflate.eof:
            yield self._step(data)
            data = self._inflate.unconsumed_tail

    def _step(self, data: bytes) -> bytes:
        try:
            piece = self._inflate.decompress(data, PIECE)
        except zlib.error as error:
            if not self._may_be_raw:
                raise InflateError(str(error)) from None
            self._may_be_raw = False
            self._inflate = zlib.decompressobj(-15)
            return self._step(data)
        self._may_be_raw = False
        return piece


class Brotli:
    """br."""

    def __init__(self) -> None:
        self._inflate = brotli.Decompressor()

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield pieces of about 64 KB; anything after the end of the stream is ignored."""
        try:
            while not self._inflate.is_finished():
                piece = self._inflate.process(data, output_buffer_limit=PIECE)
                yield piece
                if not piece:
                    return
                data = b""
        except brotli.error as error:
            raise InflateError(str(error)) from None


class Zstd:
    """zstd."""

    def __init__(self) -> None:
        self._inflate = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj()

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield pieces of at most 2 MB; anything after the end of the frame is ignored."""
        try:
            for start in range(0, len(data), ZSTD_SLICE):
                if self._inflate.eof:
                    return
                yield self._inflate.decompress(data[start : start + ZSTD_SLICE])
        except zstandard.ZstdError as error:
            raise InflateError(str(error)) from None


def decoder_for(content_encoding: str) -> Decoder:
    """Return the decoder for a Content-Encoding header; raises InflateError for unknown and for stacked encodings."""
    name = content_encoding.strip().lower()
    if name in {"", "identity", "none", "utf-8"}:
        return Identity()
    if name in {"gzip", "x-gzip"}:
        return Zlib(gzip=True)
    if name == "deflate":
        return Zlib(gzip=False)
    if name == "br":
        return Brotli()
    if name == "zstd":
        return Zstd()
    raise InflateError(f"the encoding {name[:40]!r} is not one we asked for")


class Inflater:
    """Collects a body under three caps: bytes on the wire (then cut), bytes inflated and their ratio (then TooLarge)."""

    def __init__(self, decoder: Decoder, *, wire_cap: int, inflated_cap: int, ratio: int, ratio_from: int) -> None:
        self._decoder = decoder
        self._wire_cap, self._inflated_cap = wire_cap, inflated_cap
        self._ratio, self._ratio_from = ratio, ratio_from
        self._wire = 0
        self._inflated = 0
        self._pieces: list[bytes] = []
        self.truncated = False

    def feed(self, data: bytes) -> None:
        """Take bytes from the wire. `truncated` turns true when there were more than the cap. Raises TooLarge and InflateError."""
        room = self._wire_cap - self._wire
        self.truncated = self.truncated or len(data) > room
        data = data[:room]
        self._wire += len(data)
        for piece in self._decoder.pieces(data):
            self._keep(piece)

    def body(self) -> bytes:
        """Return what was inflated so far."""
        return b"".join(self._pieces)

    def _keep(self, piece: bytes) -> None:
        self._inflated += len(piece)
        if self._inflated > self._inflated_cap:
            raise TooLarge(f"it inflates to more than {self._inflated_cap:,} bytes")
        if self._inflated > self._ratio_from and self._inflated > self._ratio * self._wire:
            raise TooLarge(f"it inflates to more than {self._ratio} times its size")
        self._pieces.append(piece)
