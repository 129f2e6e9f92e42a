"""Debian packages: unpacked into a folder of ours, or installed into the system with rights."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from lifecycle_setup.console import SetupError, quietly, say, step

UNSTABLE = ("sid", "unstable")
RELEASES = ("bullseye", "bookworm", "trixie", "forky", "duke")
SUITES = (*RELEASES, *UNSTABLE, "stable", "oldstable", "oldoldstable", "testing")
# The newest release whose package of Font Awesome 4 has the files where Odoo links to.
LAST_FONT_AWESOME_4 = "trixie"
# Fields of a one-line source as they are called in a paragraph.
OPTION_FIELDS = {"arch": "Architectures", "lang": "Languages", "target": "Targets"}
NO_ARCHIVE = (
    "no Debian package source was found on this system: set ODOO_HOME to a folder with an "
    "Odoo 19, and PGHOST to a PostgreSQL server, and try again"
)


def parse_paragraphs(text: str) -> list[dict[str, str]]:
    """Package sources of a ``.sources`` file (deb822), one dictionary each, names as written."""
    found, current, name = [], {}, None
    for line in [*text.splitlines(), ""]:
        if line.startswith("#"):
            continue
        if not line.strip():
            if current:
                found.append(current)
            current, name = {}, None
        elif line[0] in " \t" and name:
            current[name] += "\n" + line
        elif ":" in line:
            name, value = line.split(":", 1)
            name = name.strip()
            current[name] = value.strip()
    return found


def parse_lines(text: str) -> list[dict[str, str]]:
    """Package sources of a ``.list`` file, in the same form as :func:`parse_paragraphs`."""
    found = []
    for line in text.splitlines():
        match = re.match(r"\s*(deb|deb-src)\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s*([^#]*)", line)
        if not match:
            continue
        kind, options, uri, suite, components = match.groups()
        source = {"Types": kind, "URIs": uri, "Suites": suite, "Components": components.strip()}
        for option in (options or "").split():
            key, _, value = option.partition("=")
            source[OPTION_FIELDS.get(key.lower(), key.title())] = value.replace(",", " ")
        found.append(source)
    return found


def debian_source(sources: list[dict[str, str]]) -> dict[str, str] | None:
    """The system's own source of Debian's main archive (not security, updates, backports).

    Others call their suites like Debian's and their component main, too: what Debian's key
    signs comes first, then an address that names Debian.
    """
    found = []
    for source in sources:
        fields = {key.lower(): value for key, value in source.items()}
        suites = [each for each in fields.get("suites", "").split() if each in SUITES]
        address = fields.get("uris", "")
        if (
            suites
            and "deb" in fields.get("types", "").split()
            and "main" in fields.get("components", "").split()
            and fields.get("enabled", "yes").lower() not in ("no", "false", "0")
            and not address.startswith("cdrom:")
        ):
            signed = "debian-archive" in fields.get("signed-by", "")
            likeness = (signed, "debian" in address)
            found.append((likeness, {**source, "Suites": suites[0]}))
    return max(found, key=lambda pair: pair[0], default=(None, None))[1]


def with_suite(source: dict[str, str], suite: str) -> str:
    """Paragraph of `source` for another suite, its component main and binary packages only."""
    changed = {"types": "deb", "suites": suite, "components": "main"}
    lines = [f"{key}: {changed.pop(key.lower(), value)}" for key, value in source.items()]
    return "\n".join(lines) + "\n"


def font_awesome_suite(suite: str) -> str:
    """Suite that has Font Awesome 4, for a machine whose own is `suite`."""
    if suite in RELEASES and RELEASES.index(suite) <= RELEASES.index(LAST_FONT_AWESOME_4):
        return suite
    return LAST_FONT_AWESOME_4


def _configured_sources() -> list[dict[str, str]]:
    answer = subprocess.run(
        ["apt-config", "shell", "L", "Dir::Etc::sourcelist/f", "P", "Dir::Etc::sourceparts/d"],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    ).stdout
    found = {key: Path(value) for key, value in re.findall(r"([LP])='([^']*)'", answer)}
    files = [found["L"], *sorted(found["P"].glob("*"))]
    sources = []
    for path in files:
        parse = {".list": parse_lines, ".sources": parse_paragraphs}.get(path.suffix)
        if parse and path.is_file() and os.access(path, os.R_OK):
            sources += parse(path.read_text(encoding="utf-8", errors="replace"))
    return sources


class Archive:
    """Debian's archive read through lists of our own; the system's apt is left as it is.

    :param folder: scratch folder for lists and downloads
    """

    def __init__(self, folder: Path):
        if not (shutil.which("apt-get") and shutil.which("apt-config") and shutil.which("dpkg")):
            raise SetupError(NO_ARCHIVE)
        source = debian_source(_configured_sources())
        if not source:
            raise SetupError(NO_ARCHIVE)
        self.folder = folder
        self.font_awesome_suite = font_awesome_suite(source["Suites"])
        for name in ("lists/partial", "cache/archives/partial", "parts", "packages"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "debian.sources").unlink(missing_ok=True)
        (folder / "parts" / "debian.sources").write_text(
            with_suite(source, "sid") + "\n" + with_suite(source, self.font_awesome_suite),
            encoding="utf-8",
        )
        # The system's hooks after an update are for the system's lists.
        (folder / "apt.conf").write_text(
            "#clear APT::Update::Post-Invoke;\n#clear APT::Update::Post-Invoke-Success;\n"
            "#clear APT::Update::Pre-Invoke;\n",
            encoding="utf-8",
        )
        settings = {
            "Dir::Etc::SourceList": "/dev/null",
            "Dir::Etc::SourceParts": folder / "parts",
            "Dir::Etc::Preferences": "/dev/null",
            "Dir::Etc::PreferencesParts": "/dev/null",
            "Dir::State::Lists": folder / "lists",
            "Dir::Cache": folder / "cache",
            # A release that is preferred on this system need not be among these.
            "APT::Default-Release": "",
            "Acquire::Languages": "none",
            "Acquire::Retries": 2,
            # Without it apt runs downloads as a user who cannot enter a home folder.
            "APT::Sandbox::User": "",
        }
        self.options = ["-c", folder / "apt.conf"]
        for key, value in settings.items():
            self.options += ["-o", f"{key}={value}"]

    def update(self) -> None:
        """Fetch the lists of packages."""
        quietly(
            ["apt-get", *self.options, "update"],
            failure="Debian's list of packages could not be fetched: check the network "
            "connection and try again",
        )

    def candidate(self, package: str) -> str | None:
        """Version of `package` in the archive, or None."""
        answer = subprocess.run(
            ["apt-cache", *map(str, self.options), "policy", package],
            stdout=subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C"},
            check=False,
            text=True,
        ).stdout
        match = re.search(r"Candidate: (\S+)", answer)
        return match.group(1) if match and match.group(1) != "(none)" else None

    def unpack(self, packages: list[str], target: Path) -> None:
        """Download `packages` (``name`` or ``name/suite``) and unpack them below `target`."""
        folder = self.folder / "packages"
        quietly(
            ["apt-get", *self.options, "download", *packages],
            failure="Debian packages could not be fetched: check the network connection and "
            "try again",
            cwd=folder,
        )
        target.mkdir(parents=True, exist_ok=True)
        for package in sorted(folder.glob("*.deb")):
            quietly(
                ["dpkg", "-x", package, target],
                failure=f"{package.name} could not be unpacked: is there room on the disk?",
            )
            package.unlink()


def install(packages: list[str], what: str, otherwise: str = "") -> None:
    """Install Debian packages into the system, as root or through sudo.

    :param what: what they are, for the user
    :param otherwise: what the user can do instead of installing them
    :raises SetupError: without rights, network, or Debian
    """
    by_hand = f"`sudo apt-get install {' '.join(packages)}`"
    if not shutil.which("apt-get"):
        raise SetupError(f"{what} is missing: install it{otherwise} and try again.")
    rights = []
    if os.geteuid():
        if not shutil.which("sudo"):
            raise SetupError(f"{what} is missing: have an administrator run {by_hand}{otherwise}.")
        can_ask = sys.stdin is not None and sys.stdin.isatty()
        rights = ["sudo", *([] if can_ask else ["-n"]), "DEBIAN_FRONTEND=noninteractive"]
        if can_ask:
            say(f"{what} is missing and will be installed; sudo may ask for your password.")
            subprocess.run(["sudo", "-v"], check=False)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with step(f"Installing {what} from Debian"):
        quietly(
            [*rights, "apt-get", "update"],
            failure=f"{what} is missing and Debian's list of packages could not be fetched: "
            f"check the network connection, or have an administrator run {by_hand}{otherwise}",
            env=environment,
        )
        quietly(
            [*rights, "apt-get", "install", "-y", "--no-install-recommends", *packages],
            failure=f"{what} could not be installed: run {by_hand} to see why{otherwise}",
            env=environment,
        )
