"""The add-on's README and its page among the apps say what their fragments say."""

from html.parser import HTMLParser

import pytest

from lifecycle_setup import pages, paths

PAGES = pages.made()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_pages_are_in_line_with_their_fragments(path):
    assert path.read_text(encoding="utf-8") == PAGES[path], "setup/test --fix makes it anew"


def test_every_fragment_is_read():
    names = {path.name for path in (paths.ADDON / "readme").iterdir()}
    assert names == {f"{name}.rst" for name in pages.FRAGMENTS}


def test_pictures_of_the_page_are_there_and_described():
    pictures = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attributes):
            if tag == "img":
                pictures.append(dict(attributes))

    folder = paths.ADDON / pages.PICTURES
    Reader().feed(PAGES[folder / "index.html"])
    assert len(pictures) >= 5
    for picture in pictures:
        assert (folder / picture["src"]).exists()
        assert picture["alt"]
