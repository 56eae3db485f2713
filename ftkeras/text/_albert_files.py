"""Read and write the settings of ALBERT's normalization, which comes before SentencePiece's."""

from typing import Any

from ftkeras.text._tokenizer_files import TokenizerFiles, file_error

_QUOTES = [
    {"type": "Replace", "pattern": {"String": pair}, "content": '"'} for pair in ("``", "''")
]


def read_settings(checkpoint: TokenizerFiles) -> dict[str, bool]:
    """Return `lowercase` and `strip_accents`, from tokenizer.json if there is one.

    Raises:
        UserError: if the files disagree, or have another setting that is not supported.
    """
    lower, keep = checkpoint.config.get("do_lower_case"), checkpoint.config.get("keep_accents")
    if checkpoint.config.get("remove_space") is False:
        raise file_error(checkpoint.config_path, "has remove_space False, which is not supported")
    if checkpoint.tokenizer is None:
        return {"lowercase": lower is not False, "strip_accents": not keep}
    kinds = [step.get("type") for step in _steps(checkpoint)]
    stored = {"lowercase": "Lowercase" in kinds, "strip_accents": "StripAccents" in kinds}
    for key, given, used in (
        ("do_lower_case", lower, stored["lowercase"]),
        ("keep_accents", keep, not stored["strip_accents"]),
    ):
        if given is not None and given != used:
            raise file_error(
                checkpoint.config_path,
                f"has {key} {given}, but tokenizer.json {used}; make them agree",
            )
    return stored


def without_settings(checkpoint: TokenizerFiles, settings: dict[str, bool]) -> list[dict[str, Any]]:
    """Return the normalizers of tokenizer.json that follow those of the settings.

    Raises:
        UserError: if it does not start with those.
    """
    steps, names = _steps(checkpoint), ["NFKD", "StripAccents"] * settings["strip_accents"]
    wanted = [*_QUOTES, *({"type": name} for name in names)]
    wanted += [{"type": "Lowercase"}] * settings["lowercase"]
    if steps[: len(wanted)] != wanted:
        raise file_error(
            checkpoint.tokenizer_path,
            f"has normalizers {', '.join(str(step.get('type')) for step in steps)}, but only those "
            "of AlbertTokenizer are supported: Replace for `` and '', NFKD and StripAccents or "
            "neither, Lowercase or not, Precompiled",
        )
    return steps[len(wanted) :]


def to_config(lowercase: bool, strip_accents: bool) -> dict[str, bool]:
    """Return the settings as tokenizer_config.json has them."""
    return {"do_lower_case": lowercase, "keep_accents": not strip_accents}


def _steps(checkpoint: TokenizerFiles) -> list[dict[str, Any]]:
    normalizer = (checkpoint.tokenizer or {}).get("normalizer") or {}
    return normalizer.get("normalizers") or []
