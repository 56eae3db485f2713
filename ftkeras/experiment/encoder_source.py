"""Build the encoder that a configuration names, and its tokenizer."""

import functools
import os
import pathlib

from ftkeras import catalog, corpora, encoders
from ftkeras.checkpoints import huggingface as pretrained
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.runs import layout
from ftkeras.support.layer_hooks import LayerHooks
from ftkeras.support.protocols import Encoder
from ftkeras.support.specs import Spec
from ftkeras.text.from_folder import read_tokenizer
from ftkeras.text.tokenizer import Tokenizer
from ftkeras.text.wordpiece import WordPiece

# The only settings that may differ from the checkpoint's.
DROPOUTS = ("dropout", "attention_dropout")


def resolve(config: Config) -> pathlib.Path | None:
    """Return the folder of the checkpoint, downloaded if need be; None for random weights.

    Raises:
        UserError: there is no such checkpoint.
    """
    if config.few_shot is not None:
        return _tuned_by_pairs(config)
    name = checkpoint(config.encoder)
    return None if name is None else _of_run(pretrained.resolve(name))


def _tuned_by_pairs(config: Config) -> pathlib.Path:
    """Return the folder of the encoder that pairs of texts have tuned.

    Raises:
        UserError: there is none, because the verb is another than train.
    """
    folder = pathlib.Path(config.run_dir or ".") / layout.TUNED_BY_PAIRS / layout.HUGGINGFACE
    if not (folder / pretrained.CONFIG).is_file():
        raise UserError(
            f"few_shot={config.few_shot}: the encoder is tuned by pairs only in train; omit it."
        )
    return folder


def build_new(
    config: Config, folder: pathlib.Path | None, *, pooler: bool | None
) -> tuple[Encoder, Tokenizer]:
    """Build the encoder that a new run starts from, with a checkpoint's or random weights.

    Args:
        config: the run's.
        folder: the checkpoint's; None for random weights.
        pooler: whether the encoder is to have its pooler; None if its family has one that does not
            belong to the sequence classifier.

    Raises:
        UserError: the checkpoint does not exist or does not fit, or the spec is wrong.
    """
    spec = catalog.parse_encoder(config.encoder)
    if config.few_shot is not None:  # the folder determines all else
        spec = Spec(spec.name, {k: v for k, v in spec.arguments.items() if k in DROPOUTS})
    hooks = LayerHooks(recompute=config.remat)
    shared = {"pooler": pooler, "seed": config.seed, "hooks": hooks}
    if folder is not None:
        return _from_folder(folder, spec, load=True, **shared)
    return _from_scratch(spec, **shared)


def build_recorded(
    config: Config, folder: pathlib.Path, *, pooler: bool | None
) -> tuple[Encoder, Tokenizer]:
    """Build the encoder of a run again; the caller loads its weights.

    Args:
        config: the run's.
        folder: the encoder's folder in the run's folder.
        pooler: whether the encoder is to have its pooler; None if its family has one that does not
            belong to the sequence classifier.
    """
    return _from_folder(folder, catalog.parse_encoder(config.encoder), pooler=pooler, load=False)


def checkpoint(text: str) -> str | None:
    """Return the folder or Hub id of the checkpoint that a spec names; None for random weights."""
    named = catalog.parse_encoder(text).arguments.get("checkpoint")
    return None if named is None else str(named)


def width(config: Config, folder: pathlib.Path | None = None) -> int | None:
    """Return the hidden size of the encoder without building it; None if it is not known here.

    Args:
        config: the run's.
        folder: of the checkpoint, from `resolve`; None to look where the spec says.
    """
    spec, name = catalog.parse_encoder(config.encoder), checkpoint(config.encoder)
    if name is None:
        return spec.arguments.get("hidden")
    if folder is None:
        folder = _of_run(pathlib.Path(os.path.expanduser(name)))
    size = pretrained.read_config(folder).get("hidden_size") if folder.is_dir() else None
    return size if isinstance(size, int) else None  # building the encoder refuses what is wrong


def _of_run(folder: pathlib.Path) -> pathlib.Path:
    """Return the folder of a run's Hugging Face export; any other folder as it is.

    Raises:
        UserError: the run has none.
    """
    if not (folder / layout.SETTINGS).is_file():
        return folder
    exported = folder / layout.HUGGINGFACE
    if not (exported / pretrained.CONFIG).is_file():
        raise UserError(
            f"encoder={folder} is the folder of a run without a finished Hugging Face export; write"
            f" it first: export --run_dir={folder} --export=huggingface."
        )
    return exported


def _from_scratch(
    spec: Spec, *, pooler: bool | None, seed: int, hooks: LayerHooks
) -> tuple[Encoder, Tokenizer]:
    cls = catalog.find("encoder", spec.name)
    arguments = dict(spec.arguments)
    path, lowercase = _vocabulary(arguments.pop("vocabulary")), arguments.pop("lowercase", True)
    tokenizer: Tokenizer = (
        read_tokenizer(path)
        if path.is_dir()
        else WordPiece.from_vocabulary(path, lowercase=lowercase)
    )
    arguments.setdefault("pad_id", tokenizer.pad_id)
    # Arguments of the base class, which a family's signature does not list.
    build = functools.partial(
        cls,
        vocabulary_size=len(tokenizer.vocabulary),
        pooler=_has_pooler(spec.name) if pooler is None else pooler,
        initial="normal",
        seed=seed,
        hooks=hooks,
    )
    return catalog.construct("encoder", build, Spec(spec.name, arguments)), tokenizer


def _has_pooler(family: str) -> bool:
    """Return whether a family has a pooler that does not belong to the sequence classifier."""
    names = encoders.family(family)
    return bool(names.pooler) and not names.pooler_in_head


def _vocabulary(name: str) -> pathlib.Path:
    """Return the path of a vocabulary, which may be named by a bundled corpus."""
    bundled = pathlib.Path(corpora.__file__).parent / str(name) / "vocab.txt"
    return bundled if bundled.is_file() else pathlib.Path(os.path.expanduser(str(name)))


def _from_folder(
    folder: pathlib.Path,
    spec: Spec,
    *,
    pooler: bool | None,
    load: bool,
    seed: int | None = None,
    hooks: LayerHooks | None = None,
) -> tuple[Encoder, Tokenizer]:
    """Build the encoder of a Hugging Face folder, whose `model_type` names the class."""
    name = encoders.family_name(pretrained.read_config(folder), folder, spec.name)
    if spec.name not in ("", name):
        raise UserError(
            f"encoder={spec.name}(…): {folder} has the model_type {name!r}; use encoder={name}(…)."
        )
    overrides = {k: v for k, v in spec.arguments.items() if k != "checkpoint"}
    if load and (wrong := set(overrides) - set(DROPOUTS)):
        raise UserError(
            f"`encoder`: the checkpoint determines {', '.join(sorted(wrong))}; together with "
            f"checkpoint= only {' and '.join(DROPOUTS)} can be set."
        )
    overrides = {k: v for k, v in overrides.items() if k in DROPOUTS}
    tokenizer = read_tokenizer(folder)
    pooler = _has_pooler(name) if pooler is None else pooler
    shared = {"pooler": pooler, "seed": seed, "hooks": hooks}
    encoder = encoders.build(folder, family=name, **overrides, **shared)
    if len(tokenizer.vocabulary) > encoder.vocabulary_size:
        raise UserError(
            f"`encoder`: {folder} has a vocabulary of {len(tokenizer.vocabulary)} tokens, but "
            f"weights for {encoder.vocabulary_size}; they belong to different checkpoints."
        )
    encoders.require_padding(encoder, tokenizer.special_ids, str(folder))
    if load:
        encoders.load_weights(encoder, folder)
    return encoder, tokenizer
