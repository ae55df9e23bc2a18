"""Makes checksums agree again with files that a test altered: what is then wrong is contradictory, not damaged."""
import ctypes
import json
import pathlib


class _Hash128(ctypes.Structure):
    _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]


_xxhash = ctypes.CDLL("libxxhash.so.0")
_xxhash.XXH3_128bits.restype = _Hash128
_xxhash.XXH3_128bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]


def xxh3_128(content):
    """Of bytes, in hexadecimal as files spell it."""
    value = _xxhash.XXH3_128bits(content, len(content))
    return f"{value.high:016x}{value.low:016x}"


def seal_checkpoint(folder):
    """Writes sizes and checksums of the files as they are into manifest.json."""
    path = pathlib.Path(folder) / "manifest.json"
    manifest = json.loads(path.read_text())
    for entry in manifest["files"]:
        content = (path.parent / entry["name"]).read_bytes()
        entry["bytes"], entry["xxh3_128"] = len(content), xxh3_128(content)
    path.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")


def seal_data_set(folder):
    """Writes sizes, checksums and the fingerprint of the files as they are into index.json."""
    path = pathlib.Path(folder) / "index.json"
    index = json.loads(path.read_text())
    for shard in index["shards"]:
        content = (path.parent / shard["file"]).read_bytes()
        shard["file_bytes"], shard["xxh3_128"] = len(content), xxh3_128(content)
    index["tokenizer_xxh3_128"] = xxh3_128((path.parent / "tokenizer.json").read_bytes())
    index.pop("fingerprint", None)
    text = json.dumps(index, indent=2, ensure_ascii=False) + "\n"
    index["fingerprint"] = xxh3_128(text.encode())
    path.write_text(json.dumps(index, indent=2, ensure_ascii=False) + "\n")
