"""Seeded changes of a file's bytes, such as damage and malice make them."""
import re

SIGNATURES = re.compile(rb"OHDR|OCHK|FRHP|FHDB|FHIB|FAHD|FADB|EAHD|EAIB|EADB|EASB|BTHD|BTIN|BTLF|TREE|SNOD|HEAP|GCOL|\x89HDF")
BYTES = (0, 1, 2, 3, 4, 7, 0x10, 0x20, 0x7F, 0x80, 0xFE, 0xFF)
NUMBER = re.compile(rb"(?<![\w.])-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.])")
NUMBERS = (b"0", b"-1", b"1", b"3", b"2.5", b"65536", b"2147483647", b"2147483648", b"4294967296", b"4611686018427387904",
           b"9223372036854775807", b"18446744073709551615", b"-9223372036854775808", b"1e18", b"1e308", b"1e999", b"-1e999",
           b"1e-400", b"null", b"true", b"\"7\"", b"[]", b"{}", b"[" * 2000 + b"]" * 2000, b"9" * 400)


def places(content, rng, hdf5):
    """A place: in HDF5 files mostly where structures are, for most bytes are numbers that nobody can tell from others."""
    if hdf5 and rng.random() < 0.8:
        starts = [match.start() for match in SIGNATURES.finditer(content)]
        if starts:
            return min(rng.choice(starts) + int(rng.expovariate(1 / 80)), len(content) - 1)
    return rng.randrange(len(content))


def mutated(content, rng, name):
    """The content with one to three changes."""
    hdf5 = name.endswith(".h5")
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if not content:
            return b"\0"
        content = _changed(content, rng, hdf5)
    return content


def _changed(content, rng, hdf5):
    at = places(content, rng, hdf5)
    kinds = ["flip", "flip", "byte", "byte", "byte", "word", "truncate", "insert", "duplicate", "delete"]
    kind = rng.choice(kinds if hdf5 else kinds + ["number"] * 8 + ["text"] * 2)
    length = min(rng.choice((1, 2, 8, 64, 512)), len(content) - at)
    if kind == "flip":
        return content[:at] + bytes([content[at] ^ (1 << rng.randrange(8))]) + content[at + 1:]
    if kind == "byte":
        return content[:at] + bytes([rng.choice(BYTES)]) + content[at + 1:]
    if kind == "word":
        value = rng.choice((0, 1, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1, rng.randrange(2**64)))
        return content[:at] + value.to_bytes(8, "little") + content[at + 8:]
    if kind == "truncate":
        return content[:at]
    if kind == "insert":
        return content[:at] + rng.randbytes(length) + content[at:]
    if kind == "duplicate":
        return content[:at] + content[at:at + length] * 2 + content[at + length:]
    if kind == "delete":
        return content[:at] + content[at + length:]
    if kind == "number":
        numbers = list(NUMBER.finditer(content))
        if not numbers:
            return content[:at] + rng.choice(NUMBERS) + content[at:]
        number = rng.choice(numbers)
        return content[:number.start()] + rng.choice(NUMBERS) + content[number.end():]
    piece = rng.choice((b"\"", b"\\u0000", b"\\ud800", b"\x1b[2J", b"\n", b"#", b"=", b"{", b"}", b"[", b",", b"\xff", b"\0"))
    return content[:at] + piece + content[at:]
