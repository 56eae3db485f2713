"""Show pages that are kept beside `docs/`, and mend links to files that the site does not have."""

import pathlib
import posixpath
import re

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

_OUTSIDE = ("benchmarks/*.md", "CHANGELOG.md")
_LINK = re.compile(r"\[([^]]*)\]\(((?!\w+:|#)[^)#]+)(#[^)]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages beside `docs/` under the paths that they have in the repository."""
    root = pathlib.Path(config.docs_dir).parent
    for pattern in _OUTSIDE:
        for path in sorted(root.glob(pattern)):
            name = path.relative_to(root).as_posix()
            files.append(File.generated(config, name, content=path.read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links between `docs/` and its neighbours at the site's pages.

    The text of a link to any other file of the repository remains, without the link.
    """
    folder = posixpath.dirname(page.file.src_uri)
    is_outside = page.file.src_uri in {"CHANGELOG.md"} or folder == "benchmarks"

    def mended(link: re.Match) -> str:
        text, target, anchor = link[1], link[2], link[3] or ""
        in_repository = posixpath.normpath(
            posixpath.join("" if is_outside else "docs", folder, target)
        )
        on_site = in_repository.removeprefix("docs/")
        if files.get_file_from_path(on_site) is None:
            return text if in_repository.split("/")[0] != "docs" else link[0]
        return f"[{text}]({posixpath.relpath(on_site, folder or '.')}{anchor})"

    return _LINK.sub(mended, markdown)
