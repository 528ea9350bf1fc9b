"""A page read as a reader's browser has it: elements, and the data of its scripts."""

import base64
import json
import re
import zlib
from html.parser import HTMLParser

import numpy as np

_VOID = {"meta", "path", "use", "rect", "circle", "br", "image", "input", "wbr"}


class Node:
    """An element with its text and children."""

    def __init__(self, tag, attributes):
        self.tag, self.attributes, self.children, self.own = tag, dict(attributes), [], ""

    def all(self, tag, **attributes):
        for child in self.children:
            if child.tag == tag and all(
                value in child.attributes.get(name.rstrip("_"), "").split()
                for name, value in attributes.items()
            ):
                yield child
            yield from child.all(tag, **attributes)

    @property
    def text(self):
        return " ".join([self.own, *(child.text for child in self.children)]).strip()


class Tree(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.open = [Node("page", {})]
        self.feed(page)
        self.root = self.open[0]

    def handle_starttag(self, tag, attrs):
        self.open[-1].children.append(Node(tag, attrs))
        if tag not in _VOID:
            self.open.append(self.open[-1].children[-1])

    def handle_startendtag(self, tag, attrs):
        self.open[-1].children.append(Node(tag, attrs))

    def handle_endtag(self, tag):
        if tag in {node.tag for node in self.open}:
            while self.open.pop().tag != tag:
                pass

    def handle_data(self, data):
        self.open[-1].own += data.strip() and data


def number(text):
    """The first number in a text."""
    return float(re.search(r"-?[\d.]+(e-?\d+)?", text.replace(",", ""))[0])


class Page:
    """The numbers of a page by the names of its figures."""

    def __init__(self, text):
        root = Tree(text).root
        scripts = [s.own for s in root.all("script", type="application/json")]
        self.data = json.loads(scripts[0])
        if "packed" in self.data:
            self.data |= json.loads(zlib.decompress(base64.b64decode(self.data["packed"])))
        self.tiles = {
            next(tile.all("dt")).own: next(tile.all("dd")).own
            for tile in root.all("div", class_="tile")
        }
        self.notes = {
            next(tile.all("dt")).own: [n.own for n in tile.all("small")]
            for tile in root.all("div", class_="tile")
        }
        self.funnel = [
            number(next(row.all("output")).own) for row in root.all("div", class_="funnel-row")
        ]
        self.tables = {
            (table.attributes.get("id") or next(table.all("caption")).own): self._rows(table)
            for table in root.all("table", class_="sortable")
        }

    def _rows(self, table):
        found = {}
        for row in next(table.all("tbody")).all("tr"):
            head = next(row.all("th")).attributes["data-v"]
            cells = {
                cell.attributes["data-label"]: cell.attributes["data-v"]
                for cell in row.all("td")
                if "data-v" in cell.attributes
            }
            found.setdefault(head, []).append(cells)
        return found

    def column(self, table, label):
        """Row to its number, NaN where there is none."""
        return {name: float(cells[label] or "nan") for name, (cells,) in self.tables[table].items()}

    def matrix(self, key):
        """Row and column to a value."""
        m = self.data["matrices"][key]
        values = np.frombuffer(base64.b64decode(m["values"]), "<f4")
        values = values.reshape(len(m["rows"]), len(m["columns"])).tolist()
        return {
            (row, column): values[i][j]
            for i, row in enumerate(m["rows"])
            for j, column in enumerate(m["columns"])
        }
