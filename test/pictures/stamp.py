#!/usr/bin/python3
"""Writes a copy of a PNG with the checksum of the page that it shows.

    stamp.py page.html from.png to.png
"""

import hashlib
import struct
import sys
import zlib


def chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def main(page, source, target):
    with open(page, 'rb') as file:
        digest = hashlib.sha256(file.read().rstrip(b'\n')).hexdigest()
    with open(source, 'rb') as file:
        png = file.read()
    header = 8 + 25     # the signature, and IHDR, which comes first
    text = chunk(b'tEXt', b'Source\0sha256:' + digest.encode())
    with open(target, 'wb') as file:
        file.write(png[:header] + text + png[header:])


main(*sys.argv[1:])
