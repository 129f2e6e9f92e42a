"""Debian's archive is derived from the machine's own configuration."""

import pytest

from lifecycle_setup import apt

DEB822 = """\
# comment
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
"""
EMBEDDED_KEY = """\
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: trixie
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
 -----END PGP PUBLIC KEY BLOCK-----
"""


def test_deb822_source_keeps_key_and_address_and_gets_the_other_suite():
    source = apt.debian_source(apt.parse_paragraphs(DEB822))
    assert apt.with_suite(source, "sid") == (
        "Types: deb\n"
        "URIs: http://mirror.example/debian\n"
        "Suites: sid\n"
        "Components: main\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
    )


def test_key_inside_the_source_is_kept_line_by_line():
    source = apt.debian_source(apt.parse_paragraphs(EMBEDDED_KEY))
    written = apt.with_suite(source, "sid")
    assert apt.parse_paragraphs(written)[0]["Signed-By"] == (
        "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n -----END PGP PUBLIC KEY BLOCK-----"
    )


@pytest.mark.parametrize(
    "line",
    [
        "deb http://mirror.example/debian bookworm main",
        "deb [arch=amd64,arm64 signed-by=/k.gpg] http://mirror.example/debian bookworm main # own",
    ],
)
def test_one_line_source_is_understood(line):
    source = apt.debian_source(apt.parse_lines(f"# comment\n{line}\n"))
    assert source["Suites"] == "bookworm"
    assert source["URIs"] == "http://mirror.example/debian"
    if "arch" in line:
        assert source["Architectures"] == "amd64 arm64"
        assert source["Signed-By"] == "/k.gpg"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "deb-src http://mirror.example/debian bookworm main",
        "deb http://mirror.example/debian-security bookworm-security main",
        "deb http://mirror.example/debian bookworm-backports main",
        "deb http://mirror.example/tools stable contrib",
        "deb http://mirror.example/ubuntu noble main",
        "deb cdrom:[disc]/ bookworm main",
        "#deb http://mirror.example/debian bookworm main",
    ],
)
def test_other_sources_are_not_taken_for_debians_archive(text):
    assert apt.debian_source(apt.parse_lines(text)) is None


@pytest.mark.parametrize(
    "line",
    [
        "deb [signed-by=/k/tools.gpg] http://tools.example/apt stable main",
        "deb [signed-by=/k/tools.gpg] http://tools.example/tools/debian bookworm main",
    ],
)
def test_maker_of_programs_with_suites_like_debians_is_not_taken_for_debian(line):
    sources = apt.parse_lines(line) + apt.parse_paragraphs(DEB822)
    assert apt.debian_source(sources)["URIs"] == "http://mirror.example/debian"


def test_address_tells_debian_where_no_key_is_named():
    text = (
        "deb [signed-by=/k/tools.gpg] http://tools.example/apt stable main\n"
        "deb http://mirror.example/debian bookworm main\n"
    )
    assert apt.debian_source(apt.parse_lines(text))["URIs"] == "http://mirror.example/debian"


def test_switched_off_source_is_ignored():
    source = apt.parse_paragraphs(DEB822.replace("Types", "Enabled: no\nTypes", 1))
    assert apt.debian_source(source) is None


@pytest.mark.parametrize(
    ("own", "expected"),
    [("bookworm", "bookworm"), ("trixie", "trixie"), ("sid", "trixie"), ("forky", "trixie")],
)
def test_font_awesome_comes_from_a_release_whose_package_fits(own, expected):
    assert apt.font_awesome_suite(own) == expected
