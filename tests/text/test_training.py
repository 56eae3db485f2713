"""Vocabularies that are trained on texts."""

import subprocess
import sys

import pytest

from ftkeras.errors import UserError
from ftkeras.text import training
from ftkeras.text.from_folder import read_tokenizer

TEXTS = [f"the film number {n} was {w}, and its story is naïve" for n in range(40) for w in "aeiou"]
CODE = """
import pathlib, sys
from ftkeras.text import training
from tests.text.test_training import TEXTS
training.train(lambda: reversed(TEXTS), 320, kind=sys.argv[1]).save(pathlib.Path(sys.argv[2]))
"""


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("kind", [training.WORD_PIECE, training.BYTE_PAIR])
def test_vocabulary_reads_its_texts_and_is_read_again(kind, tmp_path):
    tokenizer = training.train(lambda: TEXTS, 320, kind=kind)
    assert len(tokenizer.vocabulary) <= 320
    ids = tokenizer(TEXTS[:20])
    assert tokenizer.unknown_id not in ids.flat_values.numpy()
    tokenizer.save(tmp_path)
    again = read_tokenizer(tmp_path)
    assert again.vocabulary == tokenizer.vocabulary
    assert again(TEXTS[:20]).to_list() == ids.to_list()
    assert again.pieces().mask_id == tokenizer.vocabulary.index(
        "[MASK]" if kind == training.WORD_PIECE else "<mask>"
    )


@pytest.mark.process
@pytest.mark.parametrize("kind", [training.WORD_PIECE, training.BYTE_PAIR])
def test_same_texts_give_the_same_bytes_in_any_order_and_process(kind, tmp_path):
    training.train(lambda: TEXTS, 320, kind=kind).save(tmp_path / "here")
    subprocess.run([sys.executable, "-c", CODE, kind, str(tmp_path / "there")], check=True)
    assert contents(tmp_path / "here") == contents(tmp_path / "there")


def test_tokens_that_are_too_long_for_word_piece_are_left_out(caplog):
    sentence = "ภาพยนตร์เรื่องนี้สนุกมากแต่ตอนจบน่าผิดหวังและนักแสดงก็เล่นได้ดีเกินคาดจนอยากดูอีกครั้งหนึ่ง" * 2
    tokenizer = training.train(lambda: [sentence] * 20, 400, kind=training.WORD_PIECE)
    sizes = [len(token.removeprefix("##").encode()) for token in tokenizer.vocabulary]
    assert 200 < max(sizes) <= 256
    assert "tokens of more than 256 bytes are left out of the vocabulary" in caplog.text


def test_vocabulary_that_lacks_room_for_the_characters_is_refused():
    texts = ["".join(map(chr, range(0x4E00 + 40 * n, 0x4E00 + 40 * n + 40))) for n in range(20)]
    with pytest.raises(UserError, match="`vocabulary_size` must be at least"):
        training.train(lambda: texts, 300, kind=training.WORD_PIECE)
