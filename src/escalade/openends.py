"""Close what a page leaves open, before the standard library's HTML parser sees it.

Before it was mended (CVE-2025-6069), that parser looked through all the rest for the end of each tag and comment that
has none: twenty kilobytes of `<a <a <a …` keep it busy for seconds, and a page of that kind for hours. Where an end
stands somewhere after each beginning, it takes linear time. https://github.com/python/cpython/issues/135462
"""

from __future__ import annotations


def closed(text: str) -> str:
    """Give a page in which nothing is open at the end: a last comment is gone, as in a browser, a last tag is text."""
    end = text.rfind("-->")
    opening = text.find("<!--", end + 3 if end >= 0 else 0)
    if opening >= 0:
        text = text[:opening]
    end = text.rfind(">") + 1
    return text[:end] + text[end:].replace("<", "&lt;") if "<" in text[end:] else text
