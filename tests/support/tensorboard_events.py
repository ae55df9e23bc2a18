"""Reads TensorBoard's event files by the descriptions of TFRecord, CRC-32C and protobuf alone."""
import struct


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


assert crc32c(b"123456789") == 0xE3069283


def unmasked(masked):
    rotated = (masked - 0xA282EAD8) & 0xFFFFFFFF
    return (rotated >> 17 | rotated << 15) & 0xFFFFFFFF


def records(data):
    at = 0
    while at < len(data):
        length, length_crc = struct.unpack_from("<QI", data, at)
        assert unmasked(length_crc) == crc32c(data[at:at + 8]), f"checksum of the length at byte {at}"
        body = data[at + 12:at + 12 + length]
        (body_crc,) = struct.unpack_from("<I", data, at + 12 + length)
        assert unmasked(body_crc) == crc32c(body), f"checksum of the record at byte {at}"
        yield body
        at += 16 + length


def fields(message):
    """(number, value) of a protobuf message: whole numbers, bytes, and the bytes of fixed32 and fixed64."""
    at = 0

    def varint():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
            continue
        size = {1: 8, 5: 4}.get(key & 7) or varint()
        assert at + size <= len(message) and key & 7 in (1, 2, 5)
        yield key >> 3, message[at:at + size]
        at += size


def events(path):
    """Of a file, each as (step, what): "version", its text; "start"; or a dict of tags and values."""
    for record in records(path.read_bytes()):
        event = dict(fields(record))
        (wall_time,) = struct.unpack("<d", event[1])
        assert 1.5e9 < wall_time < 1e10
        if 3 in event:
            yield 0, ("version", event[3].decode())
        elif 7 in event:
            assert dict(fields(event[7])) == {1: 1}
            yield event[2], "start"
        else:
            values = [dict(fields(value)) for number, value in fields(event[5]) if number == 1]
            yield event[2], {value[1].decode(): struct.unpack("<f", value[2])[0] for value in values}
