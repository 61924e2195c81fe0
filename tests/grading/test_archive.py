"""What others have packed: read within bounds; what is hostile in it is left out with the reason, and the rest is taken. One module for downloads and for students' zips."""

import io
import stat
import zipfile

import pytest

from course.grading import archive


def entry(name, mode=stat.S_IFREG | 0o644):
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info


def link(name, mode=stat.S_IFLNK | 0o777):
    return entry(name, mode)


def packed(*files, method=zipfile.ZIP_DEFLATED):
    """The bytes of a zip of (name, data)."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as made:
        for name, content in files:
            made.writestr(name, content, method)
    return data.getvalue()


def zipped(target, *files):
    target.write_bytes(packed(*files))
    return target


HOSTILE = [
    ("../../evil.ipynb", "x", "leads out of its folder"),
    ("a/../../evil.ipynb", "x", "leads out of its folder"),
    ("..\\evil.ipynb", "x", "leads out of its folder"),
    ("/etc/evil", "x", "absolute"),
    ("C:\\evil", "x", "absolute"),
    (link("ada/link.ipynb"), "/etc/passwd", "link"),
    (link("ada/pipe", stat.S_IFIFO | 0o600), "", "no file"),
    ("ada/bomb.ipynb", b"0" * (64 * 2**20), "zip bomb"),
    ("a/" * 40 + "deep.ipynb", "x", "deep"),
    ("n" * 300, "x", "too long"),
    ("ada/\x1b[2J.ipynb", "x", "cannot be printed"),
    ("ada/good.ipynb/inside", "x", "as a file and as a folder"),
]


@pytest.mark.parametrize("name, data, words", HOSTILE)
def test_one_hostile_file_is_left_out_and_the_others_are_taken(tmp_path, name, data, words):
    files = ("ada/good.ipynb", "good"), (name, data)
    with archive.opened(zipped(tmp_path / "d.zip", *files)) as found:
        assert [(each.name, each.read()) for each in found.entries] == [("ada/good.ipynb", b"good")]
        assert len(found.refused) == 1 and words in [*found.refused.values()][0]
    found = archive.inside(packed(*files))  # as a student hands one in
    assert [(each.name, each.read()) for each in found.entries] == [("ada/good.ipynb", b"good")]
    assert len(found.refused) == 1 and words in [*found.refused.values()][0]


def test_a_file_where_a_folder_was_is_left_out_too():
    found = archive.inside(packed(("a/b", "x"), ("a", "y")))
    assert [each.name for each in found.entries] == ["a/b"] and found.refused == {"a": "is there as a file and as a folder"}


def test_more_than_ten_thousand_files_are_refused(tmp_path):
    zipped(tmp_path / "d.zip", *((f"{number}.txt", "") for number in range(10_001)))
    with pytest.raises(archive.Refused, match="10,001 files"), archive.opened(tmp_path / "d.zip"):
        pass
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(10_001):
        (folder / f"{number}").touch()
    with pytest.raises(archive.Refused, match="more than 10,000 files"), archive.opened(folder):
        pass


def test_a_student_may_hand_in_less_than_a_class():
    with pytest.raises(archive.Refused, match="2,001 files, and no more than 2,000"):
        archive.inside(packed(*((f"{number}.txt", "") for number in range(2001))))
    found = archive.inside(packed(("large", bytes(65 * 2**20)), ("small", "x"), method=zipfile.ZIP_STORED))
    assert [each.name for each in found.entries] == ["small"] and "larger than 64 MB" in found.refused["large"]


def test_a_bomb_of_many_files_is_refused(tmp_path):
    data = packed(*((f"{number}.txt", "0" * 100) for number in range(11)))
    with pytest.raises(archive.Refused, match="would unpack to"), zipfile.ZipFile(io.BytesIO(data)) as found:
        archive.of_zip(found, archive.Bounds(100, 1000, 1000))


def test_a_zip_that_lies_about_a_size_gives_no_more_than_it_said(tmp_path):
    data = packed(("a.txt", b"0" * 5000)).replace((5000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    (tmp_path / "d.zip").write_bytes(data)
    with archive.opened(tmp_path / "d.zip") as found, pytest.raises(archive.Refused, match="cannot be unpacked"):
        found.entries[0].read()
    assert "cannot be unpacked" in archive.inside(data).refused["a.txt"]


@pytest.mark.parametrize(
    "name, data, words",
    [("d.zip", b"no zip", "no zip, or a damaged one"), ("d.rar", b"x", "Unpack it"), ("d.zip", None, "is not there")],
)
def test_what_is_no_download_is_said(tmp_path, name, data, words):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(archive.Refused, match=words), archive.opened(tmp_path / name):
        pass


@pytest.mark.parametrize("data", [b"PK\x03\x04 and not more", b"", packed(("a", "x"))[:-10]], ids=["no zip", "nothing", "cut off"])
def test_what_is_no_zip_of_a_students_is_said(data):
    with pytest.raises(archive.Refused, match="damaged or cut off"):
        archive.inside(data)


def test_a_password_and_damage_are_one_files_matter():
    data = bytearray(packed(("x", "secret " * 50), ("y", "plain")))
    at = data.index(b"PK\x01\x02")
    locked = bytes(data[: at + 8] + bytes([data[at + 8] | 1]) + data[at + 9 :])
    assert archive.inside(locked).refused == {"x": "is locked with a password"}
    data[35] ^= 0xFF
    found = archive.inside(bytes(data))
    assert [each.name for each in found.entries] == ["y"] and "cannot be unpacked" in found.refused["x"]


def test_links_in_a_folder_are_left_out(tmp_path):
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "a.ipynb").symlink_to("/etc/passwd")
    (tmp_path / "all").symlink_to("/")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "x").touch()
    with archive.opened(tmp_path) as found:
        assert not found.entries and set(found.refused) == {"ada/a.ipynb", "all"}


def test_a_folder_and_its_zip_are_alike(tmp_path):
    files = {"a.txt": b"a", "b/c.txt": b"c", "__MACOSX/._a.txt": b"", ".DS_Store": b"", "b/.ipynb_checkpoints/x": b"", "b/desktop.ini": b""}
    for place, content in files.items():
        (tmp_path / "folder" / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / place).write_bytes(content)
    zipped(tmp_path / "packed.zip", *files.items())
    for path in (tmp_path / "folder", tmp_path / "packed.zip"):
        with archive.opened(path) as found:
            assert {each.name: each.read() for each in found.entries} == {"a.txt": b"a", "b/c.txt": b"c"} and not found.refused


def test_a_zip_in_a_zip_in_a_zip_is_left_out():
    found = archive.inside(packed(("a.ipynb", "x"), ("deeper.zip", packed(("b.ipynb", "y")))))
    assert [each.name for each in found.entries] == ["a.ipynb"] and "zip in a zip" in found.refused["deeper.zip"]


def test_names_in_utf_8_that_do_not_say_so(tmp_path):
    name = "Zoë/a.ipynb".encode()
    data = packed(("Zo__/a.ipynb", "x"))
    (tmp_path / "d.zip").write_bytes(data.replace(b"Zo__/a.ipynb", name))
    with archive.opened(tmp_path / "d.zip") as found:
        assert [each.name for each in found.entries] == ["Zoë/a.ipynb"]
