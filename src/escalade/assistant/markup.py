"""Walk an HTML page and keep what a reader would read: headings, paragraphs, lists, tables and code.

Scripts, styles, forms and navigation are passed over; where a page marks its main part, only that part counts.
Total: any text gives a page, however broken its tags.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

from escalade.openends import closed

SKIPPED = frozenset(
    {"script", "style", "noscript", "template", "nav", "header", "footer", "aside", "form", "svg", "button", "iframe",
     "select", "object", "textarea", "canvas", "audio", "video"}
)  # fmt: skip
VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr", "param"}
)
PARTING = frozenset(
    {"p", "div", "section", "article", "main", "ul", "ol", "dl", "dd", "dt", "li", "table", "thead", "tbody", "tr",
     "blockquote", "figure", "figcaption", "pre", "hr", "body", "address", "details", "summary", "center", "caption"}
)  # fmt: skip
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
# Class names and ids that mark navigation on the pages of common generators.
NAVIGATION = re.compile(
    r"^(nav|navbar|navigation|navheader|navfooter|breadcrumbs?|sidebar|footer|site-?header|site-?footer|menu|toc|"
    r"table-of-contents|skip-link|cookie[\w-]*|pagination|headerlink|visually-hidden|sr-only)$"
)
# What no reader sees may be an order to whoever reads the source; it is not part of the article.
HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|(?:font-size|opacity|width|height)\s*:\s*0(?![.\d])"
)


@dataclass(slots=True, kw_only=True)
class Page:
    """What was read: (kind, number, text) triples, and both kinds of title."""

    title: str = ""
    heading: str = ""
    blocks: list[tuple[str, int, str]] = field(default_factory=list)


def read_markup(text: str) -> Page:
    """Read a page or a fragment."""
    walker = _Walker()
    try:
        walker.feed(closed(text))
        walker.close()
    except AssertionError:  # the parser's answer to a broken `<![`: what was read so far stands
        pass
    walker.flush()
    page = Page(title=" ".join(walker.title.split()))
    page.blocks = walker.main if any(kind != "heading" for kind, _, _ in walker.main) else walker.blocks
    page.heading = next((content for kind, number, content in page.blocks if kind == "heading" and number == 1), "")
    return page


class _Walker(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self.blocks: list[tuple[str, int, str]] = []
        self.main: list[tuple[str, int, str]] = []
        self._open: list[tuple[str, bool]] = []  # tag, and whether it is passed over
        self._depth: Counter[str] = Counter()  # how often each is open: a hostile page opens very many
        self._skipping = 0
        self._in_main = 0
        self._text: list[str] = []
        self._kind, self._number = "paragraph", 0
        self._lists: list[int] = []  # the next number of each list; 0: without numbers
        self._cells = 0
        self._term = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            if tag == "br":
                self._text.append("\n" if self._in("pre") else " ")
            elif tag == "hr":
                self.flush()
            return
        skip = tag in SKIPPED or _is_navigation(attrs) or _is_hidden(attrs)
        self._open.append((tag, skip))
        self._depth[tag] += 1
        if skip:
            self._skipping += 1
        if tag in ("main", "article"):
            self.flush()
            self._in_main += 1
        if self._skipping:
            return
        if tag in HEADINGS:
            self.flush()
            self._kind, self._number = "heading", int(tag[1])
        elif tag in PARTING:
            if not (tag in ("p", "div") and self._kind in ("step", "point") and not "".join(self._text).strip()):
                self.flush()
            self._begin(tag, dict(attrs))
        elif tag in ("td", "th"):
            if self._cells:
                self._text.append(" | ")
            self._cells += 1

    def _begin(self, tag: str, attrs: dict[str, str | None]) -> None:
        if tag == "ol":
            start = attrs.get("start") or "1"
            self._lists.append(int(start) if start.isascii() and start.isdigit() and len(start) < 6 else 1)
        elif tag == "ul":
            self._lists.append(0)
        elif tag == "li":
            if self._lists and self._lists[-1]:
                self._kind, self._number = "step", self._lists[-1]
                self._lists[-1] += 1
            else:
                self._kind, self._number = "point", 0
        elif tag == "pre":
            self._kind = "lines"
        elif tag == "tr":
            self._kind, self._cells = "lines", 0
        elif tag == "dt":
            self._kind = "term"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID or not self._in(tag):
            return
        if tag in HEADINGS or tag in PARTING:
            self.flush()
        while self._open:
            closed_tag, skipped = self._open.pop()
            self._depth[closed_tag] -= 1
            if skipped:
                self._skipping -= 1
            if closed_tag in ("main", "article"):
                self._in_main -= 1
            if closed_tag in ("ol", "ul") and self._lists and not skipped:
                self._lists.pop()
            if closed_tag == tag:
                break

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1][0] == "title":
            self.title += data if len(self.title) < 300 else ""
        elif not self._skipping:
            self._text.append(data)

    def _in(self, tag: str) -> bool:
        return self._depth[tag] > 0

    def flush(self) -> None:
        """End the block that was being read."""
        raw, self._text = "".join(self._text), []
        kind, number = self._kind, self._number
        self._kind, self._number = "paragraph", 0
        if kind == "lines" and "\n" in raw.strip() and self._in("pre"):
            content = "\n".join(line.rstrip() for line in raw.strip("\n").splitlines())
        else:
            content = " ".join(raw.split())
        if not content.strip(" |"):
            if kind in ("step", "point", "lines"):
                self._kind, self._number = kind, number  # its text follows in a paragraph of its own
            return
        if kind == "term":  # what a list defines belongs to its definition
            self._term = f"{self._term}, {content}" if self._term else content
            return
        if self._term and kind != "heading":
            content, self._term = f"{self._term}: {content}", ""
        self.blocks.append((kind, number, content))
        if self._in_main:
            self.main.append((kind, number, content))


def _is_hidden(attrs: list[tuple[str, str | None]]) -> bool:
    return any(
        name == "hidden"
        or (name == "aria-hidden" and value == "true")
        or (name == "style" and HIDDEN.search((value or "").lower()) is not None)
        for name, value in attrs
    )


def _is_navigation(attrs: list[tuple[str, str | None]]) -> bool:
    for name, value in attrs:
        if name == "role" and value in ("navigation", "banner", "search", "contentinfo"):
            return True
        if name in ("class", "id") and any(NAVIGATION.match(word) for word in (value or "").lower().split()):
            return True
    return False
