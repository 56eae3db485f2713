"""The reference: `tokenizers` with a checkpoint's steps and no added tokens."""

import tokenizers
from tokenizers import models, normalizers, pre_tokenizers

# Single characters of many kinds, alone and inside words, so that differences are not all [UNK].
_TOKENS = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] [ ] SEP CLS MASK UNK sep un ##aff ##able runn ##ing "
    "a b c e i o u s z A B I S Z é ß ñ å ø ı İ ς σ Σ я Я 한 ᄒ ᅡ ᆫ 中 文 字 丽 の ö ö ̈ ́ ̇ ー "
    "¨ ´ ½ … – “ ” « » . , ! ? ; ` ~ ^ $ + < = > | - _ ' \" # ## @ & * ( ) / \\ : { } % "
    "☃ 😀 🏽 0 1 9 ٣ ۝ ् ि ா ༹ ཱི 𝅥 𝅮 𝅘 〮 〯 ﬁ ǆ 〇 𠀀 ㍿ \ufe0f ᭄ ࣔ 𑑂 𑑆"
)
SMALL = _TOKENS.split(" ")


def small_vocabulary() -> list[str]:
    """Return SMALL and each of its tokens as a piece inside a word, without repetitions."""
    inner = [f"##{token}" for token in SMALL[5:] if not token.startswith("#")]
    return list(dict.fromkeys(SMALL + inner))


def reference(
    vocabulary, lowercase=True, strip_accents=None, split_chinese=True
) -> tokenizers.Tokenizer:
    """Return the tokenizer of `tokenizers` with these settings."""
    ids = {token: index for index, token in enumerate(vocabulary)}
    model = models.WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=100)
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=True,
        handle_chinese_chars=split_chinese,
        strip_accents=strip_accents,
        lowercase=lowercase,
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def ids_of(tokenizer: tokenizers.Tokenizer, texts: list[str]) -> list[list[int]]:
    """Return the reference's ids, without special tokens."""
    return [e.ids for e in tokenizer.encode_batch(texts, add_special_tokens=False)]
