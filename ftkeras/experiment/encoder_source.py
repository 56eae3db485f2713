"""The encoder that a configuration names, and the WordPiece it reads with."""

import logging
import pathlib
import re

from ftkeras import catalog, corpora
from ftkeras.catalog import Spec
from ftkeras.checkpoints import huggingface as pretrained
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.support.layer_hooks import LayerHooks
from ftkeras.text.wordpiece import WordPiece

log = logging.getLogger(__name__)

# What may be set beside a checkpoint; all else is the checkpoint's own.
DROPOUTS = ("dropout", "attention_dropout")


def of_checkpoint_or_scratch(config: Config, *, pooler: bool):
    """What a new run begins from: a checkpoint's encoder, or a new one of random weights."""
    spec = _spec(config.encoder)
    hooks = LayerHooks(recompute=config.remat)
    made = {"pooler": pooler, "seed": config.seed, "hooks": hooks}
    if "checkpoint" in spec.arguments:
        folder = pretrained.resolve(str(spec.arguments["checkpoint"]))
        return _of_folder(folder, spec, load=True, **made)
    return _from_scratch(spec, **made)


def of_run(config: Config, folder: pathlib.Path, *, pooler: bool):
    """A run's encoder by the folder that it keeps; its weights are left for the caller to load."""
    return _of_folder(folder, _spec(config.encoder), pooler=pooler, load=False)


def checkpoint(text: str) -> str | None:
    """The folder or Hub id that a spec begins from; None where it starts from scratch."""
    named = _spec(text).arguments.get("checkpoint")
    return None if named is None else str(named)


def _spec(text: str) -> Spec:
    """A spec; what is none, and no part's name, is a checkpoint: a folder or Hub id."""
    if re.fullmatch(r"\s*\w+\s*\(.*\)\s*", text) or text in catalog.names("encoder"):
        return catalog.parse("encoder", text)
    return Spec("", {"checkpoint": text})


def _from_scratch(spec: Spec, *, pooler: bool, seed: int, hooks: LayerHooks):
    cls = catalog.find("encoder", spec.name)
    arguments = dict(spec.arguments)
    if "vocabulary" not in arguments:
        raise UserError(
            f"encoder={spec.name} needs checkpoint='folder or Hub id', or vocabulary='vocab.txt' "
            "to start from scratch."
        )
    wordpiece = WordPiece.from_vocabulary(
        _vocabulary(arguments.pop("vocabulary")), lowercase=arguments.pop("lowercase", True)
    )
    encoder = catalog.construct(
        "encoder",
        cls,
        Spec(spec.name, arguments),
        vocabulary_size=len(wordpiece.vocabulary),
        pooler=pooler,
        initial="normal",
        seed=seed,
        hooks=hooks,
    )
    return encoder, wordpiece


def _vocabulary(name: str) -> pathlib.Path:
    """A vocab.txt, or the one of a bundled corpus by the corpus' name."""
    bundled = pathlib.Path(corpora.__file__).parent / str(name) / "vocab.txt"
    return bundled if bundled.is_file() else pathlib.Path(str(name))


def _of_folder(folder: pathlib.Path, spec: Spec, *, pooler, load, seed=None, hooks=None):
    """The encoder and WordPiece of a Hugging Face folder; its model_type names the class."""
    huggingface = pretrained.read_config(folder)
    name = huggingface.get("model_type", "")
    if name not in catalog.names("encoder"):
        raise UserError(
            f"`encoder`: {folder} holds a {name!r} model; there are: "
            f"{', '.join(catalog.names('encoder'))}."
        )
    if spec.name not in ("", name):
        raise UserError(f"encoder={spec.name}(…): {folder} holds a {name!r} model.")
    overrides = {k: v for k, v in spec.arguments.items() if k != "checkpoint"}
    if load and (wrong := set(overrides) - set(DROPOUTS)):
        raise UserError(
            f"`encoder`: a checkpoint decides {', '.join(sorted(wrong))}; beside checkpoint= only "
            f"{' and '.join(DROPOUTS)} can be set."
        )
    overrides = {k: v for k, v in overrides.items() if k in DROPOUTS}
    wordpiece = WordPiece.from_folder(folder)
    cls = catalog.find("encoder", name)
    try:
        settings = {**cls.settings(huggingface), **overrides}
        encoder = cls(**settings, pooler=pooler, initial="zeros", seed=seed, hooks=hooks)
    except (ValueError, TypeError) as error:
        raise UserError(f"`encoder`: {folder}/config.json: {error}") from error
    if len(wordpiece.vocabulary) > encoder.vocabulary_size:
        raise UserError(
            f"`encoder`: {folder} has a vocabulary of {len(wordpiece.vocabulary)} tokens and "
            f"weights for {encoder.vocabulary_size}; they are not of one checkpoint."
        )
    if load:
        for fresh in encoder.load(pretrained.read_tensors(folder), source=str(folder)):
            log.info(f"newly initialised, for the checkpoint does not hold it: {fresh}")
    return encoder, wordpiece
