#!/usr/bin/env python3
"""The documents of the project as one site with search: target/book/html.

Lays the tracked documents out as mdBook wants them, where they are in the tree, so that their links hold:
a README becomes the index of its folder, a folder without one a list of its files, and a linked file is
copied. Then mdBook makes the site, and every link and anchor of it is followed.
"""

import html
import html.parser
import os
import pathlib
import posixpath
import re
import shutil
import subprocess
import sys
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
BOOK = ROOT / "target/book"
# The parts of the site, and the pages of each; a star stands for all that no part has named before.
PARTS = [
    ("", ["README.md"]),
    ("Start", ["docs/tutorial.md", "docs/first-hour.md", "examples/README.md", "examples/*/README.md"]),
    ("The filters", ["filters/*/README.md", "filters/*/*.md"]),
    ("The command line", ["crates/cli/README.md", "docs/case-files.md"]),
    ("Operations", ["docs/*.md", "envoy-configs/README.md", "SECURITY.md"]),
    ("Reference", ["docs/reference/README.md", "docs/reference/*.md", "docs/reference/policies/*.md",
                   "docs/reference/codes/README.md", "docs/reference/codes/*.md"]),
    ("The project", ["ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "tests/cluster/README.md"]),
]
# Documents that must not be missing from the parts.
ALL = ["docs/*", "filters/*", "examples/*", "*.md"]
LINK = re.compile(r"(\]\()([^()\s]+)(\))")


def tracked():
    """The files of the project: those of git, or without it those that are there."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode == 0:
        return [name for name in sorted(set(listed.stdout.split("\n"))) if name and (ROOT / name).is_file()]
    skipped = {"target", "dist", ".venv", "node_modules", ".git"}
    paths = (path for path in ROOT.rglob("*") if path.is_file() and not skipped & set(path.relative_to(ROOT).parts))
    return sorted(str(path.relative_to(ROOT)) for path in paths)


def fits(name, pattern):
    """A star is within one folder."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", "[^/]*"), name) is not None


def chapters(files):
    """The pages of each part, in order."""
    documents, taken, parts = [name for name in files if name.endswith(".md")], set(), []
    for title, patterns in PARTS:
        pages = []
        for pattern in patterns:
            for name in documents:
                if fits(name, pattern) and name not in taken:
                    taken.add(name)
                    pages.append(name)
        parts.append((title, pages))
    missing = [name for name in documents if name not in taken and any(fits(name, pattern) or name.startswith(pattern[:-1]) for pattern in ALL)]
    if missing:
        sys.exit(f"docs/book.py: in no part of the site: {', '.join(missing)}")
    return parts


def page_of(name):
    """Where a document is in the site."""
    return re.sub(r"(^|/)README\.md$", r"\1index.md", name)


class Layout:
    """The sources of the site."""

    def __init__(self, files, pages):
        self.files, self.pages, self.copied = set(files), set(pages), set()

    def page(self, name):
        """Writes a document with the links that it needs there."""
        text, inside = [], False
        for line in (ROOT / name).read_text().split("\n"):
            inside ^= line.lstrip().startswith("```")
            text.append(line if inside else LINK.sub(lambda link: link[1] + self.target(name, link[2]) + link[3], line))
        write(page_of(name), "\n".join(text))

    def target(self, page, link):
        """What a link is called in the site."""
        path, hash_, anchor = link.partition("#")
        if ":" in path or not path:
            return link
        name = posixpath.normpath(posixpath.join(posixpath.dirname(page), urllib.parse.unquote(path)))
        if f"{name}/README.md" in self.pages:
            name = f"{name}/README.md"
        if name in self.pages:
            name = page_of(name)
        elif name in self.files:
            self.copy(name)
        else:
            name = self.folder(name)
        return posixpath.relpath(name, posixpath.dirname(page) or ".") + hash_ + anchor

    def copy(self, name):
        if name not in self.copied:
            self.copied.add(name)
            # A document that is no page is read as it is.
            shown = f"{name}.txt" if name.endswith(".md") else name
            (BOOK / "src" / shown).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, BOOK / "src" / shown)

    def folder(self, name):
        """A list of the files in a folder."""
        inside = sorted(file for file in self.files if file.startswith(f"{name}/"))
        if not inside:
            return name
        items = []
        for file in inside:
            self.copy(file)
            short = posixpath.relpath(file, name)
            there = f"{short}.txt" if file.endswith(".md") else short
            items.append(f'<li><a href="{html.escape(urllib.parse.quote(there))}">{html.escape(short)}</a></li>')
        title = html.escape(name)
        write(f"{name}/index.html", f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
              f"<h1>{title}</h1><ul>{''.join(items)}</ul></html>\n")
        return f"{name}/index.html"


def write(name, text):
    path = BOOK / "src" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def title(name):
    heading = re.search(r"^# (.+)$", (ROOT / name).read_text(), re.M)
    if not heading:
        sys.exit(f"docs/book.py: {name} has no title")
    return heading[1].replace("[", "").replace("]", "").replace("`", "")


def summary(parts):
    lines = ["# Summary", ""]
    for part, pages in parts:
        lines += [f"# {part}", ""] if part else []
        for name in pages:
            is_code = fits(name, "docs/reference/codes/NRW*.md")
            link = f"[{title(name)}]({page_of(name)})"
            lines.append(f"  - {link}" if is_code else f"- {link}" if part else link)
        lines.append("")
    write("SUMMARY.md", "\n".join(lines))


class Page(html.parser.HTMLParser):
    """The links and anchors of a page."""

    def __init__(self):
        super().__init__()
        self.links, self.anchors = [], set()

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors |= {attributes[name] for name in ("id", "name") if attributes.get(name)}
        for name in ("href", "src"):
            if attributes.get(name) and tag in ("a", "img", "link", "script"):
                self.links.append(attributes[name])


def broken(site):
    """Every link that leads nowhere; and how many were followed."""
    pages, found, followed = {}, [], 0
    for path in sorted(site.rglob("*.html")):
        page = Page()
        page.feed(path.read_text())
        pages[path] = page
    for path, page in pages.items():
        # The whole book on one page, and the page for what is not there, have the links of others.
        if path.name in ("print.html", "404.html", "toc.html"):
            continue
        for link in page.links:
            to = urllib.parse.urlsplit(link)
            if to.scheme or to.netloc:
                continue
            followed += 1
            target = path if not to.path else pathlib.Path(os.path.normpath(path.parent / urllib.parse.unquote(to.path)))
            if not target.is_file():
                found.append(f"{path.relative_to(site)}: {link}")
            elif to.fragment and target in pages and urllib.parse.unquote(to.fragment) not in pages[target].anchors:
                found.append(f"{path.relative_to(site)}: {link}: no such anchor")
    return found, followed


def main():
    mdbook = sys.argv[1]
    shutil.rmtree(BOOK, ignore_errors=True)
    (BOOK / "src").mkdir(parents=True)
    files = tracked()
    parts = chapters(files)
    pages = [name for _, names in parts for name in names]
    layout = Layout(files, pages)
    for name in pages:
        layout.page(name)
    summary(parts)
    shutil.copyfile(ROOT / "docs/book.toml", BOOK / "book.toml")
    made = subprocess.run([mdbook, "build", str(BOOK)], capture_output=True, text=True)
    said = made.stdout + made.stderr
    if made.returncode or "WARN" in said or "ERROR" in said:
        sys.exit(said)
    found, followed = broken(BOOK / "html")
    if found:
        sys.exit("links that lead nowhere:\n" + "\n".join(found))
    if not any((BOOK / "html").glob("searchindex*")):
        sys.exit("the site has no search")
    print(f"target/book/html/index.html: {len(pages)} pages, {followed} links followed")


main()
