"""The add-on's README.rst and its page among Odoo's apps, made from one text.

In: the fragments in ``customer_lifecycle/readme``, laid out as OCA's add-ons have them, with the
name and summary of the manifest. Out: ``README.rst``, and ``static/description/index.html`` with
Odoo's classes for such pages. Called by ``setup/test --fix``, and by the test that compares.
"""

from __future__ import annotations

from pathlib import Path

from lifecycle_setup import addon, paths

#: fragments in their order, each with its heading; a missing one is left out
FRAGMENTS = {
    "DESCRIPTION": None,
    "INSTALL": "Installation",
    "CONFIGURE": "Configuration",
    "USAGE": "Usage",
    "ROADMAP": "Known issues / Roadmap",
}
PICTURES = "static/description/"
NOTICE = "This file is made from readme/*.rst by setup/test --fix: change those."


def made(folder: Path = paths.ADDON) -> dict[Path, str]:
    """Text of each page, by its path."""
    manifest = addon.manifest(folder)
    parts = []
    for name, heading in FRAGMENTS.items():
        path = folder / "readme" / f"{name}.rst"
        if path.exists():
            parts.append(path.read_text(encoding="utf-8").replace(f"../{PICTURES}", PICTURES))
            if heading:
                parts[-1] = f"{heading}\n{'=' * len(heading)}\n\n{parts[-1]}"
    name = manifest["name"]
    line = "=" * len(name)
    text = "\n".join(parts)
    return {
        folder / "README.rst": f".. {NOTICE}\n\n{line}\n{name}\n{line}\n\n{text}",
        folder / PICTURES / "index.html": _html(name, manifest["summary"], text),
    }


def write() -> None:
    """Bring the pages in line with the fragments."""
    for path, text in made().items():
        path.write_text(text, encoding="utf-8")


def _html(name: str, summary: str, text: str) -> str:
    from docutils.core import publish_parts
    from docutils.writers.html5_polyglot import HTMLTranslator, Writer

    class Page(HTMLTranslator):
        """Sections as bands across the page, every other one dark, pictures in a frame."""

        bands = 1

        def visit_section(self, node):
            if not self.section_level:
                self.body.append(_END + _begin(dark=self.bands % 2))
                self.bands += 1
            self.section_level += 1

        def depart_section(self, node):
            self.section_level -= 1

        def visit_title(self, node):
            level = self.section_level + 1
            self.body.append(f"<h{level}>")
            self.context.append(f"</h{level}>\n")

        def depart_title(self, node):
            self.body.append(self.context.pop())

        def visit_paragraph(self, node):
            below = node.parent.index(node) and node.parent[node.parent.index(node) - 1]
            after_picture = below and below.tagname == "image"
            self.body.append('<p class="oe_mt32">' if after_picture else "<p>")

        def depart_paragraph(self, node):
            self.body.append("</p>\n")

        def visit_literal(self, node):
            self.body.append("<code>")

        def depart_literal(self, node):
            self.body.append("</code>")

        def visit_image(self, node):
            source = node["uri"].removeprefix(PICTURES)
            alt = self.attval(node["alt"])
            self.body.append(
                f'<img class="oe_picture oe_screenshot img-fluid" src="{source}" alt="{alt}" />\n'
            )

        def depart_image(self, node):
            pass

    writer = Writer()
    writer.translator_class = Page
    settings = {"doctitle_xform": False, "report_level": 2, "halt_level": 2}
    body = publish_parts(text, writer=writer, settings_overrides=settings)["body"]
    return (
        f"<!-- {NOTICE} -->\n{_begin(dark=False)}"
        f'<h2 class="oe_slogan">{name}</h2>\n<h3 class="oe_slogan">{summary}</h3>\n{body}{_END}'
    )


def _begin(dark) -> str:
    kind = "oe_container oe_dark" if dark else "oe_container"
    return f'<section class="{kind}">\n<div class="oe_row oe_spaced">\n'


_END = "</div>\n</section>\n"
