"""Files: opening what a user brings without harm, hashes, and writing so that no half file is ever seen."""

from .atomic import atomic_path, atomic_write, is_leftover, on_write
from .opening import gunzip, gunzip_head, gzip_signature, read_bytes, relative, safe_file, sha256
from .text import read_json, read_json_value, read_text, read_toml, read_tsv

__all__ = [
    "atomic_path",
    "atomic_write",
    "gunzip",
    "gunzip_head",
    "gzip_signature",
    "is_leftover",
    "on_write",
    "read_bytes",
    "read_json",
    "read_json_value",
    "read_text",
    "read_toml",
    "read_tsv",
    "relative",
    "safe_file",
    "sha256",
]
