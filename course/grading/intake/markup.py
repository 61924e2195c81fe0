"""Markup that somebody else wrote, made harmless: HTML, Markdown, TeX, SVG, base64. Pure functions: text in, text out.

What may stay is listed; whatever is not on a list goes. nh3 (the Rust library ammonia) parses HTML as a browser does and does the
cutting; the lists here say what. Cleaning twice changes nothing. What is clean already comes back as it is, letter by letter.
"""

import base64
import binascii
import collections
import functools
import html as entities
import re
from xml.parsers import expat

import nh3
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments.token import STANDARD_TYPES

MOST_MARKDOWN, MOST_OPENERS = 20_000, 200
"""Longer Markdown, or with more beginnings of formulas, is shown as it was typed: to render it may take too long."""
MOST_TAGS, MOST_ENTITIES, DEEPEST = 20_000, 50_000, 100
"""The same for HTML."""
REMEMBERED = 200_000

TAGS = set(
    "h1 h2 h3 h4 h5 h6 p br hr div span pre code kbd samp var tt b strong i em u s strike del ins sub sup small big mark q cite blockquote abbr dfn center font "
    "ul ol li dl dt dd table caption colgroup col thead tbody tfoot tr th td a img details summary figure figcaption progress meter input".split()
)
WITH_CONTENT = set(
    "script style iframe object embed applet noscript noembed noframes template svg math title textarea xmp plaintext audio video canvas select frameset".split()
)
ATTRIBUTES = {
    "*": {"class", "style", "title", "dir", "lang", "align", "aria-label"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    **dict.fromkeys(("th", "td"), {"colspan", "rowspan", "scope", "valign", "width"}),
    **dict.fromkeys(("col", "colgroup"), {"span", "width"}),
    "table": {"border", "width", "cellpadding", "cellspacing"},
    "ol": {"start", "reversed"},
    "li": {"value"},
    "details": {"open"},
    "font": {"color", "size", "face"},
    **dict.fromkeys(("progress", "meter"), {"value", "max", "min"}),
    "input": {"type", "disabled", "checked"},
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), {"id"}),
}
NUMBERS = {"width", "height", "colspan", "rowspan", "border", "cellpadding", "cellspacing", "start", "value", "max", "min", "span", "size"}
NUMBER = re.compile(r"\d{1,4}(?:\.\d{1,6})?%?")
PLAIN = re.compile(r"[\w\s#.,;:%()+-]{0,60}")

# Classes: those of Pygments' and of nbconvert's Markdown, of pandas and of the course. Formgrader finds its buttons by others.
CLASSES = {*filter(None, STANDARD_TYPES.values()), "highlight", "anchor-link", "dataframe", "task-list-item", "task-list-item-checkbox"}
CLASS = re.compile(r"hidden-state-[a-z-]{1,40}|language-[\w+#.-]{1,30}")

# Style: only these properties, and of their values no address, no function but colours, nothing negative, nothing huge. Nothing then leaves its place.
PROPERTIES = set(
    "color background background-color font-size font-family font-weight font-style font-variant text-align text-decoration text-transform text-indent "
    "vertical-align white-space word-break overflow-wrap letter-spacing line-height list-style-type border-collapse border-spacing border-radius "
    "caption-side table-layout width min-width max-width height max-height display float clear overflow overflow-x overflow-y gap flex-wrap".split()
)
PROPERTIES |= {f"{kind}{side}" for kind in ("margin", "padding", "border") for side in ("", "-top", "-right", "-bottom", "-left")}
PROPERTIES |= {f"border{side}-{what}" for side in ("", "-top", "-right", "-bottom", "-left") for what in ("width", "style", "color")}
OF_IMAGES = {"height", "max-height"}
VALUE = re.compile(r"""[#\w\s.,%/'"()!-]{1,120}""")
FUNCTION = re.compile(r"(?<![\w-])(?:rgba?|hsla?)\([\w\s.,%/]*\)")
NEGATIVE = re.compile(r"(?<![\w#])-\s*[\d.]")
LENGTH = re.compile(r"(?<![\w#.])([\d.]+)([a-z%]*)", re.IGNORECASE)
LONGEST = {"": 1000, "px": 2000, "pt": 1500, "em": 80, "rem": 80, "ex": 160, "ch": 160, "%": 200, "cm": 50, "mm": 500, "in": 20}
TIGHT = ("padding", "border", "font-size", "line-height")
TIGHTEST = {"": 8, "px": 64, "pt": 48, "em": 4, "rem": 4, "ex": 8, "ch": 8, "%": 200}

# Addresses. A picture comes with the page or lies beside the notebook: to fetch one from elsewhere tells who reads, and when.
LINK = re.compile(r"(?:https?://(?:[\w-]+\.)+[a-z]{2,24}(?::\d{1,5})?(?:[/?#][^\s<>\"'`\\{}|^]*)?|mailto:[\w.+-]+@[\w.-]+)", re.IGNORECASE)
OWN_NETWORK = re.compile(r"https?://(?:[^/?#]*\.)?(?:localhost|local|internal|localdomain|lan|home)(?:[:/?#]|$)", re.IGNORECASE)
ANCHOR = re.compile(r"#[^\s<>\"'`\\]{0,200}")
LESSON = re.compile(r"(?:\.\./[\w-]{1,60}/)?[\w-]{1,100}\.ipynb(?:#[\w.%-]{0,100})?")
BESIDE = re.compile(r"[\w-]{1,100}\.(?:png|jpe?g|gif|webp)", re.IGNORECASE)
DATA = re.compile(r"data:(image/[a-z+]{3,8});base64,([A-Za-z0-9+/=%\s]+)")

# TeX: what lets MathJax link, load or style.
TEX = re.compile(r"\\(?=(?:href|url|require|class|cssId|style|data|unicode|bbox|mmlToken|includegraphics|Newextension)(?![a-zA-Z]))")

PICTURES = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),
}
SVG = "image/svg+xml"
TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
UNCOUNTED = {"br", "hr", "img", "col", "input", "p", "li", "dt", "dd", "tr", "td", "th", "tbody", "thead", "tfoot", "colgroup"}
"""They have no content, or are ended by the next of their kind."""
TOKEN = re.compile(r"""<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:\s+[a-zA-Z][\w-]*(?:="[^"]*")?)*)\s*/?>|([^<]+)""")
ATTRIBUTE = re.compile(r"""\s([a-zA-Z][\w-]*)(?:="([^"]*)")?""")


# HTML


def _remembering(function):
    """Most of a class's markup is the lesson's own: it is cleaned once. What is large is not kept."""
    remembered = functools.lru_cache(maxsize=512)(function)

    @functools.wraps(function)
    def asked(text, *more):
        return (remembered if len(text) < REMEMBERED else function)(text, *more)

    return asked


@_remembering
def html(text):
    """HTML, as of an output, without what executes, fetches, or leaves its place on the page."""
    if AS_PRE.fullmatch(text):
        return text
    clean = _html(text, "output")
    return text if _same(text, clean) else clean


def _html(text, place):
    return _finished(CLEANERS[place].clean(text)) if _is_quick(text) else _as_pre(re.sub(r"<[^<>]*>", "", text))


AS_PRE = re.compile(r"<pre>[^<>]*</pre>")


def _as_pre(text):
    """Text as HTML that shows it so."""
    return f"<pre>\n{entities.escape(text, quote=False)}</pre>"


def _is_quick(text):
    """Not so many tags, nor so deep within each other, that parsing takes long."""
    if text.count("<") > MOST_TAGS or text.count("&") > MOST_ENTITIES:
        return False
    opened, deep = collections.Counter(), 0
    for closing, tag in TAG.findall(text):
        tag = tag.lower()
        if tag in UNCOUNTED or (closing and not opened[tag]):
            continue
        opened[tag] += -1 if closing else 1
        deep += -1 if closing else 1
        if deep > DEEPEST:
            return False
    return True


def raw(text):
    """A raw cell, which nbconvert writes into the page as it stands."""
    return text if AS_PRE.fullmatch(text) or _same(text, html(text)) else _as_pre(text)


def _finished(text):
    """What nh3 leaves to do: TeX outside of code, and a newline that the next parser would swallow."""
    parts, within, last = [], 0, ""
    for match in TOKEN.finditer(text):
        closing, tag, _, words = match.groups()
        if words is not None:
            parts.append(("\n" if last == "pre" and words[0] == "\n" else "") + (words if within else tex(words)))
            last = ""
            continue
        parts.append(match[0])
        last = "" if closing else tag
        within += (tag in ("pre", "code")) * (-1 if closing else 1)
    return "".join(parts)


def _attribute(place, tag, name, value):
    """The value that an attribute may keep, or None. nh3 asks for each one that is on the list."""
    if name == "class":
        return _classes(value)
    if name == "style":
        return _style(tag, value)
    if name == "href":
        return _link(place, value)
    if name == "src":
        return _source(value)
    if name == "id":
        return _id(place, value)
    if tag == "input":
        return value if name != "type" or value == "checkbox" else None
    if name in NUMBERS:
        return value if NUMBER.fullmatch(value) else None
    return value if name in ("alt", "title", "aria-label") or PLAIN.fullmatch(value) else None


def _classes(value):
    kept = [name for name in value.split() if name in CLASSES or CLASS.fullmatch(name)]
    return (value if len(kept) == len(value.split()) else " ".join(kept)) if kept else None


def _style(tag, value):
    parts = value.split(";")
    kept = [part for part in parts if part.strip() and _declaration(tag, part)]
    return (value if len(kept) == sum(bool(part.strip()) for part in parts) else ";".join(kept)) if kept else None


def _declaration(tag, part):
    name, colon, value = part.partition(":")
    name, value = name.strip().lower(), value.strip().lower()
    if not colon or name not in PROPERTIES or (name in OF_IMAGES and tag != "img") or not VALUE.fullmatch(value):
        return False
    value = FUNCTION.sub(" ", value)
    if "(" in value or NEGATIVE.search(value):
        return False
    tight = name.startswith(TIGHT)
    most = TIGHTEST if tight else LONGEST
    lengths = [(float(number), unit) for number, unit in LENGTH.findall(value) if number.count(".") < 2 and number != "."]
    if any(number > most.get(unit, -1) for number, unit in lengths):
        return False
    return name != "line-height" or not any(number < (0.8 if unit in ("", "em", "rem") else 10) for number, unit in lengths)


def _link(place, value):
    if ANCHOR.fullmatch(value):
        return f"#text-{value[1:]}" if place == "page" and not value.startswith("#text-") else value
    if LESSON.fullmatch(value) or (LINK.fullmatch(value) and not OWN_NETWORK.match(value)):
        return value
    return None


def _source(value):
    if BESIDE.fullmatch(value):
        return value
    data = DATA.fullmatch(value)
    return value if data and picture(data[1], data[2]) else None


def _id(place, value):
    """Headings may be jumped to; but names of the page's own parts are written in small letters, and no heading takes one of those."""
    if place == "page":
        return value if value.startswith("text-") else f"text-{value}"
    return value if place == "source" and re.match(r"[A-Z0-9]", value) else None


CLEANERS = {
    place: nh3.Cleaner(
        tags=TAGS,
        clean_content_tags=WITH_CONTENT,
        attributes=ATTRIBUTES,
        attribute_filter=functools.partial(_attribute, place),
        set_tag_attribute_values={"input": {"type": "checkbox", "disabled": ""}},
        url_schemes={"http", "https", "mailto", "data"},
        link_rel=None,
        strip_comments=True,
    )
    for place in ("output", "source", "page")
}


def _same(one, other):
    """Do two texts of HTML say the same, in whatever spelling?"""
    tokens = _tokens(one)
    return tokens is not None and tokens == _tokens(other)


def _tokens(text):
    """HTML as a list of its parts, in one spelling; or None where it is not written so plainly that every parser reads it alike."""
    found, end = [], 0
    for match in TOKEN.finditer(text):
        if match.start() != end:
            return None
        end = match.end()
        closing, tag, attributes, words = match.groups()
        if words is None:
            pairs = {name.lower(): entities.unescape(value or "") for name, value in ATTRIBUTE.findall(attributes)}
            found.append((closing, tag.lower(), tuple(sorted(pairs.items())), len(ATTRIBUTE.findall(attributes))))
        elif found and isinstance(found[-1], str):
            found[-1] += entities.unescape(words)
        else:
            found.append(entities.unescape(words))
    return found if end == len(text) else None


# Markdown


def markdown(source, attachments=None):
    """Markdown that nbconvert renders to something harmless.

    What does so already comes back as it is. Otherwise: one block of HTML, which is what it would have been rendered to, cleaned.
    """
    return _checked(source, attachments) if attachments else _markdown(source)


@_remembering
def _markdown(source):
    return _checked(source, {})


def _checked(source, attachments):
    if AS_TEXT.fullmatch(source):
        return source
    if not _is_short(source):
        return as_text(source)
    try:
        rendered = _render(source, attachments)
        clean = _html(rendered, "source")
        if _same(rendered, clean):
            return source
        block = _as_block(clean)
        rendered = _render(block, {})
        if _same(rendered, _html(rendered, "source")):
            return block
    except Exception:  # whatever a text that somebody else wrote can do to a parser
        pass
    return as_text(source)


def page(source, attachments=None):
    """What nbconvert would render Markdown to, cleaned: for pages that are made now, whatever was done before."""
    if AS_TEXT.fullmatch(source):
        return source
    try:
        return _html(_render(source, attachments or {}), "page") if _is_short(source) else as_text(source)
    except Exception:
        return as_text(source)


def _is_short(source):
    return len(source) <= MOST_MARKDOWN and sum(map(source.count, ("$$", "\\\\[", "\\\\(", "\\begin{"))) <= MOST_OPENERS


def _render(source, attachments):
    return MarkdownWithMath(renderer=_Renderer(escape=False, attachments=attachments)).render(source)


class _Renderer(IPythonRenderer):
    """nbconvert's own; but a picture that is not there is no reason to stop."""

    def _embed_image_or_attachment(self, src):
        if src.startswith("attachment:") and src.removeprefix("attachment:") not in self.attachments:
            return ""
        return super()._embed_image_or_attachment(src)


def _as_block(text):
    """HTML on one line, where Markdown leaves it alone: no line is empty, nothing looks like mathematics."""
    return f"<div>{_spelled(text)}</div>"


def _spelled(text):
    return text.replace("\n", "&#10;").replace("$", "&#36;").replace("\\", "&#92;")


AS_TEXT = re.compile(r"<pre>[^<>$\\\n]*</pre>")


def as_text(source):
    """Any text as Markdown and as HTML that shows it as it was typed."""
    return source if AS_TEXT.fullmatch(source) else f"<pre>{_spelled(entities.escape(source))}</pre>"


def in_words(text):
    """Text that may stand within a sentence of Markdown, and shows there as it is."""
    return re.sub(r"([\\`*_\[\]()#+!|~$^:@-])", r"\\\1", entities.escape(text, quote=False))


def tex(text):
    """TeX without the commands that link, load or style: a space after the backslash makes words of them."""
    return TEX.sub(r"\\ ", text)


# Pictures


def picture(kind, data):
    """Is this base64 a picture of that kind, and of no other?"""
    return isinstance(data, str) and _picture(data, kind)


@_remembering
def _picture(data, kind):
    try:
        content = base64.b64decode(re.sub(r"\s", "", data), validate=True)
    except (binascii.Error, ValueError):
        return False
    if kind == SVG:
        return drawing(content.decode("utf-8", "replace"))
    return content.startswith(PICTURES.get(kind, ()))


SVG_SPACE = "http://www.w3.org/2000/svg"
ABOUT = ("http://www.w3.org/1999/02/22-rdf-syntax-ns#", "http://creativecommons.org/ns#", "http://web.resource.org/cc/", "http://purl.org/dc/elements/1.1/")
SHAPES = set(
    "svg g path rect circle ellipse line polyline polygon text tspan textPath defs use symbol clipPath mask pattern linearGradient radialGradient stop marker "
    "title desc metadata style image filter feGaussianBlur feOffset feBlend feFlood feComposite feMerge feMergeNode feColorMatrix".split()
)


@_remembering
def drawing(text):
    """Is this an SVG that only draws: no script, no handler, no link, no address elsewhere, no entity of its own?"""
    try:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler, parser.CharacterDataHandler = _shape, _words
        parser.EntityDeclHandler = parser.ProcessingInstructionHandler = _refuse
        parser.Parse(text, True)
    except (expat.ExpatError, ValueError, UnicodeError):
        return False
    return True


def _shape(name, attributes):
    space, _, local = name.rpartition(" ")
    if space not in (SVG_SPACE, *ABOUT) or (space == SVG_SPACE and local not in SHAPES):
        raise ValueError(name)
    for key, value in attributes.items():
        key = key.rpartition(" ")[2].lower()
        elsewhere = key in ("href", "src") and not (value.startswith("#") or re.match(r"data:image/(?:png|jpeg);base64,", value))
        if key.startswith("on") or elsewhere or (key not in ("href", "src") and _reaches_out(value)):
            raise ValueError(key)


def _words(text):
    if _reaches_out(text):
        raise ValueError(text)


def _refuse(*what):
    raise ValueError(what)


def _reaches_out(text):
    text = re.sub(r"url\(\s*['\"]?#", "", text.lower())
    return any(word in text for word in ("url(", "@import", "javascript:", "expression("))
