"""A page of the report as a parser sees it, whatever the template meant."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "input", "br", "link", "img"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    parent: Element | None = field(repr=False)
    text: str = ""

    def inside(self, tag: str) -> bool:
        return self.parent is not None and (self.parent.tag == tag or self.parent.inside(tag))


class Page(HTMLParser):
    """Every element of the page in order; `text` of an element includes that of its children."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(html)
        self.close()
        assert not self._open, f"never closed: {[element.tag for element in self._open]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs), self._open[-1] if self._open else None)
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs), self._open[-1] if self._open else None))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open[-1].tag == tag, f"</{tag}> inside <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, *tags: str) -> list[Element]:
        return [element for element in self.elements if element.tag in tags]

    def programs(self) -> list[Element]:
        """Scripts that a browser runs; one with another type is data."""
        return [element for element in self.all("script") if "type" not in element.attributes]

    def banners(self) -> list[Element]:
        return [element for element in self.elements if element.attributes.get("role") == "note"]

    def shape(self) -> list[tuple[str, tuple[str, ...]]]:
        """Tags and attribute names: all that decides what the page is, without what it says."""
        return [(element.tag, tuple(element.attributes)) for element in self.elements]
