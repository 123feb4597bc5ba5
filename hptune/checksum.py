"""A JSON object with a checksum in front: what was written either comes back as it was, or is known to be changed.

    {"crc":"1c291ca3","seq":0,"type":"study_started",...}

`crc` is the CRC-32 of the rest, with its opening brace put back.
"""

from __future__ import annotations

import zlib

HEAD = b'{"crc":"'
"""How a record begins."""

_BODY = len(HEAD) + 8 + len(b'",')


class Unchecked(ValueError):
    """The bytes are no record as it was written: the checksum does not match, or there is none."""


def with_checksum(body: bytes) -> bytes:
    """Return a JSON object (not an empty one) with its checksum as first field."""
    return b'%s%08x",%s' % (HEAD, zlib.crc32(body), body[1:])


def without_checksum(record: bytes) -> bytes:
    """Return the object that `with_checksum` was given; raises `Unchecked`."""
    body = b"{" + record[_BODY:]
    if record[: len(HEAD)] != HEAD or record[_BODY - 2 : _BODY] != b'",':
        raise Unchecked("expected a checksummed record")
    if record[len(HEAD) : len(HEAD) + 8] != b"%08x" % zlib.crc32(body):
        raise Unchecked("the checksum does not match")
    return body
