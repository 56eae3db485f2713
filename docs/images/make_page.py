"""Take a picture of the page that `serve` shows.

Start the server, `python -m ftkeras.main serve --model=saved_models/quickstart`, then:

    python -m docs.images.make_page http://127.0.0.1:8501/ "Not a dull minute, …" page.png
"""

import base64
import pathlib
import sys

from tests.serving.browser import browser


def main(url: str, text: str, output: str) -> None:
    """Type a text into the page, and save a picture of the answer."""
    with browser("--hide-scrollbars") as window:
        window.resize(720, 1010)
        window.open(url)
        window.wait("!document.title.startsWith('Loading')")
        window.type("#text", text)
        window.click("#send")
        window.wait("document.querySelector('#words').getAttribute('aria-busy') === 'false'", 120)
        window.run("document.querySelector('#thresholds').open = true")
        pathlib.Path(output).write_bytes(base64.b64decode(window.screenshot()))


if __name__ == "__main__":
    main(*sys.argv[1:])
