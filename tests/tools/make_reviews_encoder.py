"""Train the small encoder in tests/fixtures/reviews_encoder, from which the finished run starts.

    python -m tests.tools.make_reviews_encoder

A run from random weights needs a minute to learn anything; one from this encoder needs seconds.
Run it again only if the format of checkpoints or the bundled reviews change: its numbers depend on
the processor.
"""

import shutil
import tempfile
from pathlib import Path

from tests.running import FLAGS, run_ftkeras

FOLDER = Path(__file__).resolve().parents[1] / "fixtures" / "reviews_encoder"


def main() -> None:
    """Train on the bundled reviews and replace the folder."""
    with tempfile.TemporaryDirectory() as home:
        done = run_ftkeras(
            f"--flagfile={FLAGS / 'quickstart.cfg'}",
            "--encoder=bert(layers=2, hidden=32, heads=2, positions=64, dropout=0.0, "
            "attention_dropout=0.0, vocabulary='reviews')",
            *("--batch_size=16", "--learning_rate=2e-3", "--epochs=5", "--run_dir=run"),
            "--export=huggingface(head=False)",
            cwd=Path(home),
        )
        print(done.stdout or done.stderr)
        shutil.rmtree(FOLDER, ignore_errors=True)
        shutil.copytree(Path(home) / "run" / "huggingface", FOLDER)


if __name__ == "__main__":
    main()
