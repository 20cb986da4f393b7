"""Every way in which a file can be other than it seems, and writing that leaves a whole file or none."""

from __future__ import annotations

import gzip
import json
import os
import resource
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from remyelin import files
from remyelin.errors import InputError
from remyelin.files import opening

MIB = 2**20


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "dataset"
    folder.mkdir()
    return folder


def put(path: Path, data: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


# ---- safe_file


def test_a_regular_file_passes(root: Path) -> None:
    path = put(root / "sub-01" / "scan.nii", b"data")
    assert files.safe_file(path, root) == path
    assert files.read_bytes(path, root) == b"data"


def make_fifo(root: Path) -> Path:
    os.mkfifo(root / "x")
    return root / "x"


def make_link(target: str) -> object:
    def make(root: Path) -> Path:
        (root / "x").symlink_to(target)
        return root / "x"

    return make


def make_content(data: bytes) -> object:
    return lambda root: put(root / "x", data)


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 123456\n"
BAD_FILES = {
    "missing": (lambda root: root / "x", "missing", "name"),
    "folder": (lambda root: root, "folder", "remove"),
    "fifo": (make_fifo, "pipe", "remove"),
    "device": (make_link("/dev/zero"), "outside", "copy"),
    "link out": (make_link("/etc/hostname"), "outside", "copy"),
    "link to nothing": (make_link("gone"), "does not exist", "copy"),
    "link to itself": (make_link("x"), "itself", "remove"),
    "link to a folder": (make_link("."), "folder", "remove"),
    "empty": (make_content(b""), "0 bytes", "copy"),
    "git-lfs pointer": (make_content(LFS), "pointer", "git lfs pull"),
    "git-annex pointer": (make_content(b"/annex/objects/MD5E-s12--0.nii.gz\n"), "pointer", "datalad get"),
    "git-annex link not fetched": (make_link(".git/annex/objects/aa/bb/k/k"), "pointer", "datalad get"),
    "HTML": (make_content(b"\xef\xbb\xbf\n <!DOCTYPE html><html>"), "HTML", "sign"),
}


@pytest.mark.timeout(10)
@pytest.mark.parametrize("reader", [files.safe_file, files.read_bytes, files.read_text])
@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_named_and_not_read(root: Path, case: str, reader: object) -> None:
    make, found, fix = BAD_FILES[case]
    path = make(root)
    with pytest.raises(InputError) as error:
        reader(path, root)
    facts = error.value.facts()
    assert facts["file"] == files.relative(path, root)
    assert found in facts["found"]
    assert fix in facts["fix"]


def test_a_file_behind_a_folder_that_leads_out_is_refused(root: Path, tmp_path: Path) -> None:
    put(tmp_path / "dataset-secret" / "f", b"secret")  # a sibling whose name begins with the dataset's
    (root / "sub-01").symlink_to(tmp_path / "dataset-secret")
    with pytest.raises(InputError, match="outside"):
        files.read_bytes(root / "sub-01" / "f", root)
    with pytest.raises(InputError, match="outside"):
        files.read_bytes(root / ".." / "dataset-secret" / "f", root)


def test_links_inside_the_dataset_are_read(root: Path) -> None:
    put(root / "a" / "real", b"data")
    (root / "b").mkdir()
    (root / "b" / "link").symlink_to("../a/real")
    assert files.read_bytes(root / "b" / "link", root) == b"data"


@pytest.mark.parametrize("dataset", [".", "raw/bids"], ids=["the dataset", "a repository around it"])
def test_git_annex_links_are_read(tmp_path: Path, dataset: str) -> None:
    put(tmp_path / ".git" / "annex" / "objects" / "aa" / "bb" / "key" / "key", b"data")
    link = tmp_path / dataset / "sub-01" / "scan.nii"
    link.parent.mkdir(parents=True)
    up = os.path.relpath(tmp_path, link.parent)
    link.symlink_to(f"{up}/.git/annex/objects/aa/bb/key/key")
    assert files.read_bytes(link, tmp_path / dataset) == b"data"


def test_the_rest_of_a_repository_around_the_dataset_stays_outside(tmp_path: Path) -> None:
    put(tmp_path / ".git" / "config", b"secret")
    (tmp_path / "bids").mkdir()
    (tmp_path / "bids" / "x").symlink_to("../.git/config")
    with pytest.raises(InputError, match="outside"):
        files.read_bytes(tmp_path / "bids" / "x", tmp_path / "bids")


def test_a_dataset_reached_through_a_link_is_inside_itself(root: Path, tmp_path: Path) -> None:
    put(root / "f", b"data")
    (tmp_path / "alias").symlink_to(root)
    assert files.read_bytes(tmp_path / "alias" / "f", tmp_path / "alias") == b"data"
    assert files.read_bytes(root / "f", tmp_path / "alias") == b"data"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_named(root: Path) -> None:
    put(root / "x", b"data").chmod(0)
    with pytest.raises(InputError, match="Permission denied"):
        files.read_bytes(root / "x", root)


def test_a_disk_that_cannot_be_read_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error", str(root / "x.gz"))

    path = put(root / "x.gz", b"data")
    monkeypatch.setattr(Path, "open", broken)
    for reader in (files.safe_file, files.read_bytes, lambda p, r: files.gunzip(p, r, limit=10)):
        with pytest.raises(InputError, match=r"x.gz: file is unreadable \(Input/output error\)"):
            reader(path, root)


def test_read_bytes_stops_at_the_limit(root: Path) -> None:
    path = put(root / "x", b"12345")
    assert files.read_bytes(path, root, limit=5) == b"12345"
    with pytest.raises(InputError, match="larger than 4 bytes"):
        files.read_bytes(path, root, limit=4)


def test_names_that_are_not_utf8_or_not_printable_are_escaped(root: Path) -> None:
    path = root / os.fsdecode(b"sub-02_\xff\xfe\n_MTR.nii.gz")
    assert files.relative(path, root) == "sub-02_\\xff\\xfe\\n_MTR.nii.gz"
    with pytest.raises(InputError, match="missing"):
        files.read_bytes(path, root)


def test_relative_never_gives_an_absolute_path(root: Path, tmp_path: Path) -> None:
    assert files.relative(tmp_path / "plan.toml", root) == "plan.toml"
    assert files.relative(root / "a" / "b", root) == "a/b"
    assert files.relative(root / "a" / "b", None) == "b"


# ---- gzip


def gz(data: bytes, level: int = 6) -> bytes:
    return gzip.compress(data, level, mtime=0)


@settings(max_examples=80, deadline=None)
@given(
    parts=st.lists(st.binary(max_size=300), min_size=1, max_size=4),
    repeat=st.integers(1, 300),
    level=st.integers(0, 9),
    padding=st.sampled_from([0, 1, 7, 512]),
    chunk=st.sampled_from([3, 10, 64, opening._CHUNK]),
)
@example(parts=[b""], repeat=1, level=9, padding=0, chunk=3)
@example(parts=[bytes(range(256))] * 3, repeat=4000, level=0, padding=600_000, chunk=opening._CHUNK)
def test_gunzip_undoes_gzip(
    tmp_path_factory: pytest.TempPathFactory,
    parts: list[bytes],
    repeat: int,
    level: int,
    padding: int,
    chunk: int,
) -> None:
    root = tmp_path_factory.mktemp("gz")
    path = put(root / "x.gz", b"".join(gz(part * repeat, level) for part in parts) + b"\0" * padding)
    whole = b"".join(part * repeat for part in parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "_CHUNK", chunk)
        assert files.gunzip(path, root, limit=len(whole)) == whole
        assert files.gunzip_head(path, root, 348) == whole[:348]
        if whole:
            with pytest.raises(InputError, match="larger than"):
                files.gunzip(path, root, limit=len(whole) - 1)


VOXELS = bytes(range(256)) * 2000


@pytest.mark.parametrize("cut", [2, 3, 10, 11, 500, -9, -8, -5, -1])
def test_a_truncated_file_is_said_to_be_so(root: Path, cut: int) -> None:
    path = put(root / "x.nii.gz", gz(VOXELS)[:cut])
    with pytest.raises(InputError, match=r"x\.nii\.gz: file is truncated .*copy the file again"):
        files.gunzip(path, root, limit=MIB)


def test_a_flipped_bit_never_gives_other_bytes(root: Path) -> None:
    content = VOXELS[:40]
    data = gz(content, level=0)
    harmless = 0
    for place in range(8 * len(data)):
        bad = bytearray(data)
        bad[place // 8] ^= 1 << place % 8
        path = put(root / "x.nii.gz", bytes(bad))
        with suppress(InputError):
            assert files.gunzip(path, root, limit=MIB) == content
            harmless += 1
    # 6 bytes of the header (time stamp and the like), its text flag, 5 bits that pad a stored block.
    assert harmless == 48 + 1 + 5


def test_wrong_checksum_and_wrong_length_are_told_apart(root: Path) -> None:
    data = gz(VOXELS)
    for place, words in ((-8, "incorrect data check"), (-1, "incorrect length check")):
        bad = bytearray(data)
        bad[place] ^= 1
        with pytest.raises(InputError, match=words):
            files.gunzip(put(root / "x.gz", bytes(bad)), root, limit=MIB)


def test_trailing_bytes_are_not_ignored(root: Path) -> None:
    with pytest.raises(InputError, match="corrupt"):
        files.gunzip(put(root / "x.gz", gz(VOXELS) + b"rubbish"), root, limit=MIB)


def test_a_name_that_promises_gzip(root: Path) -> None:
    with pytest.raises(InputError, match="not a gzip file"):
        files.gunzip(put(root / "x.gz", VOXELS), root, limit=MIB)


BOMB = """
import resource, sys, time
from pathlib import Path
from remyelin import files
from remyelin.errors import InputError
root = Path(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.process_time()
head = files.gunzip_head(root / "x.nii.gz", root, 348)
try:
    files.gunzip(root / "x.nii.gz", root, limit=2**20)
except InputError as error:
    assert "larger than" in str(error), error
else:
    sys.exit("the bomb went off")
print(time.process_time() - start, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.parametrize("kind", ["one member", "4096 members"])
def test_a_bomb_of_4_gb_costs_nothing(root: Path, kind: str) -> None:
    if kind == "one member":
        squeeze = __import__("zlib").compressobj(9, wbits=31)
        block = bytes(MIB)
        bomb = b"".join(squeeze.compress(block) for _ in range(256)) + squeeze.flush()
        bomb = gz(b"head" * 100) + bomb * 16
    else:
        bomb = gz(b"head" * 100) + gz(bytes(MIB), 9) * 4096
    put(root / "x.nii.gz", bomb)
    done = subprocess.run([sys.executable, "-c", BOMB, str(root)], capture_output=True, text=True, check=True)
    seconds, mib = map(float, done.stdout.split())
    assert seconds < 1.0
    assert mib < 100.0


def test_signature_is_size_and_crc(root: Path) -> None:
    a, b = put(root / "a.gz", gz(VOXELS, 1)), put(root / "b.gz", gz(VOXELS, 9))
    assert a.read_bytes() != b.read_bytes()
    assert (
        files.gzip_signature(a) == files.gzip_signature(b) == (len(VOXELS), __import__("zlib").crc32(VOXELS))
    )
    assert files.gzip_signature(put(root / "c.nii", VOXELS)) is None
    assert files.gzip_signature(put(root / "d.gz", gz(b"")[:15])) is None


def test_sha256_agrees_with_the_standard(root: Path) -> None:
    # FIPS 180-2, appendix B.1
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert files.sha256(put(root / "x", b"abc")) == expected


# ---- text


def test_marks_and_line_endings_do_not_matter(root: Path) -> None:
    text = "participant_id\tsite\nsub-01\tBesançon\n"
    for name, data in {
        "plain": text.encode(),
        "mark": b"\xef\xbb\xbf" + text.encode(),
        "windows": text.replace("\n", "\r\n").encode(),
        "mac": text.replace("\n", "\r").encode(),
    }.items():
        assert files.read_text(put(root / name, data), root) == text
        assert files.read_tsv(root / name, root) == [{"participant_id": "sub-01", "site": "Besançon"}]


BAD_TEXT = {
    "latin-1": ("a\nb\nBesançon\n".encode("latin-1"), "byte 0xE7 in line 3"),
    "UTF-16": ("a\tb\n".encode("utf-16"), "UTF-16"),
    "NUL": (b"a\nb\0\0\n", "line 2 is broken by NUL"),
    "control": (b"a\n\x1b[31m\n", "line 2 is broken by a control character .U.001B"),
    "next line": ("a\nb\u0085c\n".encode(), "U.0085"),
}


@pytest.mark.parametrize("case", BAD_TEXT)
def test_bad_text_is_named_with_its_line(root: Path, case: str) -> None:
    data, words = BAD_TEXT[case]
    with pytest.raises(InputError, match=words):
        files.read_text(put(root / "x.tsv", data), root)


BAD_TSV = {
    "ragged, long": ("a\tb\n1\t2\n1\t\t2\n", "line 3 is of 3 fields, expected 2 fields"),
    "ragged, short": ("a\tb\n1\n", "line 2 is of 1 field, expected 2 fields"),
    "empty line": ("a\tb\n\n1\t2\n", "line 2 is empty"),
    "duplicate": ("a\tb\ta\n1\t2\t3\n", "duplicate column 'a'"),
    "no name": ("a\t\tb\n1\t2\t3\n", "without a name in column 2"),
    "no header": ("\n1\t2\n", "line 1 is empty"),
    "commas": ("a,b\n1,2\n", "separated by commas"),
    "semicolons": ("a;b\n1;2\n", "separated by semicolons"),
}


@pytest.mark.parametrize("case", BAD_TSV)
def test_a_bad_table_is_named_with_its_line(root: Path, case: str) -> None:
    text, words = BAD_TSV[case]
    with pytest.raises(InputError, match=words):
        files.read_tsv(put(root / "x.tsv", text), root)


def test_a_table_of_a_header_alone_has_no_rows(root: Path) -> None:
    assert files.read_tsv(put(root / "x.tsv", "a\tb\n"), root) == []


cells = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff"), min_size=1, max_size=8
).filter(str.strip)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), width=st.integers(2, 5), height=st.integers(0, 6))
def test_a_table_comes_back_as_written(tmp_path_factory: pytest.TempPathFactory, data, width, height) -> None:
    header = data.draw(st.lists(cells, min_size=width, max_size=width, unique=True))
    rows = [data.draw(st.lists(cells, min_size=width, max_size=width)) for _ in range(height)]
    root = tmp_path_factory.mktemp("tsv")
    path = put(root / "x.tsv", "".join("\t".join(row) + "\n" for row in [header, *rows]))
    assert files.read_tsv(path, root) == [dict(zip(header, row, strict=True)) for row in rows]


BAD_JSON = {
    "syntax": ('{\n"a": 1,\n}', "line 3 is not JSON"),
    "truncated": ('{"a": [1, 2', "line 1 is not JSON"),
    "list": ("[1]", "a JSON list"),
    "value": ("3", "a JSON value"),
    "twice": ('{"MTState": true, "MTState": false}', "MTState is given twice"),
    "twice, inside": ('{"x": {"a": 1, "a": 1}}', "a is given twice"),
    "deep": ('{"a":' * 65 + "1" + "}" * 65, "nested more than 64"),
    "very deep": ('{"a":' + "[" * 100_000 + "]" * 100_000 + "}", "nested more than 64"),
    "long number": ('{"a": ' + "9" * 5000 + "}", "not readable"),
    "large": ('{"a": "' + "x" * MIB + '"}', "larger than"),
}


@pytest.mark.parametrize("case", BAD_JSON)
def test_bad_json_is_named(root: Path, case: str) -> None:
    text, words = BAD_JSON[case]
    with pytest.raises(InputError, match=words):
        files.read_json(put(root / "x.json", text), root)


def test_json_as_deep_as_allowed(root: Path) -> None:
    text = '{"a":' * 63 + "1" + "}" * 63
    assert files.read_json(put(root / "x.json", text), root) == json.loads(text)


BAD_TOML = {
    "syntax": ("[trial]\nid = \n", "line 2 is not TOML"),
    "twice": ("a = 1\na = 2\n", "not TOML"),
    "deep": ("a = " + "[" * 70 + "]" * 70, "nested more than 64"),
    "very deep": ("a = " + "[" * 100_000 + "]" * 100_000, "nested more than 64"),
    "dotted": ("a." * 300_000 + "a = 1", "nested more than 64"),
    "long number": ("a = " + "9" * 5000, "not TOML"),
    "large": ("a = '" + "x" * MIB + "'", "larger than"),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("case", BAD_TOML)
def test_bad_toml_is_named(root: Path, case: str) -> None:
    text, words = BAD_TOML[case]
    with pytest.raises(InputError, match=words):
        files.read_toml(put(root / "plan.toml", text))


def test_toml_is_read(root: Path) -> None:
    text = "# ...... a comment with many dots ......" + "." * 200 + "\n[trial]\nid = 'x'\n"
    assert files.read_toml(put(root / "plan.toml", text)) == {"trial": {"id": "x"}}


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_no_bytes_make_a_reader_raise_anything_else(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    root = tmp_path_factory.getbasetemp()
    readers = [files.read_text, files.read_tsv, files.read_json, lambda path, _: files.read_toml(path)]
    readers.append(lambda path, root: files.gunzip(path, root, limit=1000))
    for start in (b"", b"\x1f\x8b", gz(b"x")[:10], gz(b"x" * 50)[:-4]):
        path = put(root / "fuzz", start + data)
        for reader in readers:
            with suppress(InputError):
                reader(path, root)


# ---- atomic


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(root: Path) -> None:
    path = put(root / "x.nii.gz", b"old")
    with pytest.raises(RuntimeError), files.atomic_path(path) as temporary:  # noqa: PT012
        temporary.write_bytes(b"half")
        assert temporary.name.endswith(".nii.gz")
        assert files.is_leftover(temporary.name)
        assert path.read_bytes() == b"old"
        raise RuntimeError
    assert [p.name for p in root.iterdir()] == ["x.nii.gz"]
    assert path.read_bytes() == b"old"


def test_a_write_makes_its_folder_and_obeys_the_umask(root: Path) -> None:
    before = os.umask(0o027)
    try:
        files.atomic_write(root / "a" / "b" / "x", b"new")
    finally:
        os.umask(before)
    assert (root / "a" / "b" / "x").read_bytes() == b"new"
    assert (root / "a" / "b" / "x").stat().st_mode & 0o777 == 0o640


def test_a_full_disk_raises_and_leaves_nothing(root: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    put(root / "x", b"old")
    signal = __import__("signal")
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            files.atomic_write(root / "x", b"n" * 2000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert [p.name for p in root.iterdir()] == ["x"]
    assert (root / "x").read_bytes() == b"old"


def test_an_observer_hears_of_a_file_before_it_is_there(root: Path) -> None:
    heard = []
    with files.on_write(lambda path: heard.append((path.name, path.exists()))):
        files.atomic_write(root / "a", b"1")
        files.atomic_write(root / "b", b"2")
    files.atomic_write(root / "c", b"3")
    assert heard == [("a", False), ("b", False)]


def test_leftovers_are_told_from_results() -> None:
    assert files.is_leftover(".mtr.tsv.tmp-3141-0123abcd.tsv")
    for name in ("mtr.tsv", ".bidsignore", ".mtr.tsv.tmp-mine", "a.tmp-1-0123abcd"):
        assert not files.is_leftover(name)


def test_reading_many_files_is_quick(root: Path) -> None:
    paths = [put(root / f"sub-{i:03d}" / "x.json", b'{"MTState": true}') for i in range(300)]
    start = time.process_time()
    for path in paths:
        files.read_json(path, root)
    assert (time.process_time() - start) / len(paths) < 1e-3
