"""The zip that a student receives: it works by itself, and nothing in it tells an answer."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile

import pytest
import yaml
from support import ROOT, read, run, source

from course.build import sources
from course.build.bundle import make_bundle, released
from course.build.questions import expand


@pytest.fixture(scope="module", params=("pipeline", "training"))
def unit(request):
    return request.param


@pytest.fixture(scope="module")
def twins(unit):
    return sorted((ROOT / "solutions" / unit).glob("*.ipynb"))


@pytest.fixture(scope="module")
def bundle(unit, tmp_path_factory):
    """The folder that comes out of the zip."""
    scratch = tmp_path_factory.mktemp("bundle")
    zipped = make_bundle(ROOT, unit, lambda line: None, into=scratch)
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(scratch)
    (folder,) = (path for path in scratch.iterdir() if path.is_dir())
    assert folder.name == zipped.stem and re.fullmatch(rf"hidden-state-{unit}-[0-9a-f]{{8}}", folder.name)
    return folder


@pytest.fixture(scope="module")
def texts(bundle):
    """{place: text} of every file in the bundle that is no picture."""
    files = [file for file in bundle.rglob("*") if file.is_file() and file.suffix != ".png"]
    return {str(file.relative_to(bundle)): file.read_text(encoding="utf-8") for file in files}


@pytest.fixture(scope="module")
def solution_lines(unit, twins):
    """The lines of all solutions that say something and that students do not see anyway."""
    lines = set()
    for twin in twins:
        text = "\n".join(source(cell) for cell in read(twin)["cells"])
        for region in re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", text, flags=re.DOTALL):
            lines |= {line.strip() for line in region.splitlines() if len(line.strip()) > 8}
    shown = "\n".join(source(cell) for file in (ROOT / "notebooks" / unit).glob("*.ipynb") for cell in read(file)["cells"])
    return {line for line in lines if line not in shown}


def test_it_holds_what_a_student_needs_and_no_more(unit, twins, bundle, texts):
    assert {path.name for path in bundle.iterdir()} == {
        "AGENTS.md",
        "LICENSE",
        "LICENSE-CONTENT.md",
        "README.md",
        "course",
        "environment.yml",
        "notebooks",
        "pyproject.toml",
        "setup.py",
    }
    assert {path.stem for path in (bundle / "notebooks" / unit).iterdir()} == {twin.stem for twin in twins}
    assert not [
        place for place in texts if place.endswith((".md", ".yml", ".pyc")) and place not in ("AGENTS.md", "LICENSE-CONTENT.md", "README.md", "environment.yml")
    ]
    assert {path.stem for path in bundle.rglob("*.png")} == {path.stem for path in twins[0].parent.glob("*.png")}
    assert not [place for place in texts if "grading" in place or "course/build" in place]


def test_no_solution_is_in_it(texts, solution_lines):
    assert len(solution_lines) > 20
    found = {(place, line) for place, text in texts.items() for line in solution_lines if _holds(text, line)}
    assert not found


def _holds(text, line):
    """Is this a line of the text? In a notebook's JSON the quotes of a line are escaped."""
    whole = [entry.strip() for entry in text.replace('\\"', '"').replace("\\n", "\n").splitlines()]
    return line in whole or any(line == entry.strip('",') for entry in whole)


def test_no_hidden_test_is_in_it(texts):
    for place, text in texts.items():
        for secret in ("hidden_check", "hidden_quiz", "hidden_seed", "HIDDEN TESTS", "BEGIN SOLUTION", "course.grading"):
            assert secret not in text, (place, secret)
    seed = ROOT / ".hidden_seed"
    assert not seed.exists() or not any(seed.read_text().strip() in text for text in texts.values())


def test_no_quiz_key_and_no_explanation_is_in_it(unit, texts):
    keys = yaml.safe_load((ROOT / "solutions" / unit / "quiz.yml").read_text(encoding="utf-8"))
    variants = [v for questions in keys.values() for question in questions.values() for v in expand(question)["variants"]]
    whys = {" ".join(why.split()) for variant in variants for why in variant["why"].values()}
    assert len(whys) > 20
    assert not {(place, why) for place, text in texts.items() for why in whys if why[:40] in text}
    assert not [place for place, text in texts.items() if re.search(r"answer_\d = \\?['\"][A-E]", text)]
    assert not [place for place, text in texts.items() if re.search(r"answer['\"]?: ['\"]?[A-E]\b", text)]


def test_its_notebooks_hold_no_outputs(bundle):
    for notebook in bundle.glob("notebooks/*/*.ipynb"):
        content = read(notebook)
        assert "widgets" not in content["metadata"]
        assert not any(cell.get("outputs") for cell in content["cells"])


def test_its_package_asks_for_no_instructors_tools(texts):
    for place in ("pyproject.toml", "environment.yml"):
        assert not re.search(r"nbgrader|nbval|pytest|jupytext|playwright", texts[place].replace("tests/test_environment.py", "")), place
        assert "torch" in texts[place] and "jupyterlab" in texts[place]
    assert yaml.safe_load(texts["environment.yml"])["dependencies"][-1] == {"pip": ["-e ."]}


def test_it_works_by_itself(bundle):
    """Its own package is used, not the repository's, and a check passes and fails as it should."""
    script = (
        "import course, torch, sys; sys.path.remove('') if '' in sys.path else None; print(course.__file__)\n"
        "from course import check, explore\n"
        "print(explore.cell_step().sentence())\n"
        "check('to_probs', lambda logits: logits.softmax(-1))\n"
        "try: check('to_probs', lambda logits: logits.softmax(0))\n"
        "except AssertionError as error: print(error)\n"
    )
    (bundle / "try_it.py").write_text(script)
    try:
        done = run("try_it", cwd=bundle)
    finally:
        (bundle / "try_it.py").unlink()
    assert done.returncode == 0, done.stderr
    assert str(bundle) in done.stdout.splitlines()[0]
    assert "PASSED  to_probs" in done.stdout and "Likely cause" in done.stdout


def test_the_same_content_makes_the_same_zip(tmp_path):
    names = [make_bundle(ROOT, "pipeline", lambda line: None, into=tmp_path / part) for part in ("one", "two")]
    assert names[0].name == names[1].name and names[0].read_bytes() == names[1].read_bytes()


def test_its_files_are_as_old_as_the_release(tmp_path):
    """Not as the clock, which would make another zip every day, and not as the first day that a zip knows of."""
    said = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["date-released"]
    with zipfile.ZipFile(make_bundle(ROOT, "pipeline", lambda line: None, into=tmp_path)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(said.year, said.month, said.day, 0, 0, 0)}
    (tmp_path / "CITATION.cff").write_text("version: 1\n")
    with pytest.raises(sources.BuildError, match="date-released"):
        released(tmp_path)


@pytest.mark.parametrize("from_bundle", [True, False])
def test_jupyterlab_does_not_ask_about_news(bundle, tmp_path, from_bundle):
    """Where the course is installed as its README and `make lab` say: pip puts what is in this wheel's data/ into the environment."""
    project = tmp_path / "project"
    shutil.copytree(bundle if from_bundle else ROOT, project, ignore=shutil.ignore_patterns(".*", "tests", "solutions", "notebooks", "dist", "*.egg-info"))
    code = f"from setuptools import build_meta; print(build_meta.build_editable({str(tmp_path)!r}))"
    subprocess.run([sys.executable, "-c", code], cwd=project, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "wheel")
    [data] = (tmp_path / "wheel").glob("*.data/data")
    said = subprocess.run(
        [sys.executable, "-c", LABS_DEFAULTS],
        env={**os.environ, "JUPYTER_CONFIG_PATH": str(data / "etc" / "jupyter")},
        check=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(said.stdout)["@jupyterlab/apputils-extension:notification"] == {"fetchNews": "false", "checkForUpdates": False}


LABS_DEFAULTS = "import json; from jupyterlab_server.settings_utils import _get_overrides; print(json.dumps(_get_overrides('nowhere')[0]))"


def test_an_unbuilt_unit_is_named(tmp_path):
    with pytest.raises(sources.BuildError, match="make notebooks"):
        make_bundle(ROOT, "training-to-come", lambda line: None, into=tmp_path)
