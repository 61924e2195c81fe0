"""A technical term is explained before it is used: solutions/terms.yml names the place, and this reads the lessons from the first page on."""

import re

import jupytext
import nbformat
import pytest
import yaml
from support import ROOT

TERMS = yaml.safe_load((ROOT / "solutions" / "terms.yml").read_text(encoding="utf-8"))
FIRST = ROOT / "solutions" / "pipeline" / "00_start.md"
LESSONS = [FIRST, *sorted((file for file in ROOT.glob("solutions/*/*.md") if file != FIRST and file.stem != "00_start"), key=lambda file: file.name)]
UNSEEN = r"^# .*?\n|\[\d · [^\]]*\]\([^)]*\)|### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS|### BEGIN SOLUTION.*?### END SOLUTION|\]\([^)]*\)|^from course import .*?(?=\n\n|\Z)"

THE_MAP = "The pipeline"
"""How the alt text of `pictures.pipeline` begins. It stands in every Goal and names the stages that are still to come."""


def pages():
    """(place, text) of every section in the order of reading: its texts and code as a student has them, and the words of its pictures."""
    for source in LESSONS:
        twin = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
        section, parts = "", {}
        for cell, ran in zip(jupytext.read(source, fmt="md:myst").cells, twin.cells):
            for piece in re.split(r"^(?=## )", cell.source, flags=re.MULTILINE) if cell.cell_type == "markdown" else [cell.source]:
                heading = re.match(r"## (.+)", piece)
                section = heading[1].strip() if heading else section
                parts.setdefault(section, []).append(re.sub(UNSEEN, "", piece, flags=re.DOTALL))
            parts.setdefault(section, []).extend(_alt_texts(ran))
        for name, texts in parts.items():
            place = source.stem if source.stem == "00_start" else f"{source.stem}#{name}"
            yield place, "\n".join(texts)


def _alt_texts(cell):
    shown = [output.data.get("text/html", "") for output in cell.get("outputs", ()) if "data" in output]
    return [alt for alt in re.findall(r'<img alt="([^"]*)"', "".join(shown)) if not alt.startswith(THE_MAP)]


def plain(text):
    return " ".join(text.split())


PAGES = list(pages())
PLACES = [place for place, _ in PAGES]


def test_there_are_terms_and_sections():
    assert len(TERMS) >= 45 and len(PLACES) > 80


@pytest.mark.parametrize("term", TERMS)
def test_a_term_is_explained_where_the_list_says_so(term):
    about = TERMS[term]
    explained = plain("\n".join(text for place, text in PAGES if place == about["place"]))
    assert about["says"] in explained


@pytest.mark.parametrize("term", TERMS)
def test_a_term_is_not_used_before_it_is_explained(term):
    about = TERMS[term]
    pattern = re.compile(about.get("seen") or rf"\b{re.escape(term)}s?\b", 0 if about.get("seen") else re.IGNORECASE)
    first, found = next((place, pattern.search(text)) for place, text in PAGES if pattern.search(text))
    assert PLACES.index(first) >= PLACES.index(about["place"]), f"{found[0]!r} is read in {first}"
