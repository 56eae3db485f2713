"""Scripts that complete verbs, flags and parts in a shell: `ftkeras completion bash`."""

import dataclasses
import shlex
from collections.abc import Iterable, Iterator, Sequence

from ftkeras import catalog
from ftkeras.cli.commands import VERBS, shown_flags
from ftkeras.config import flagfile
from ftkeras.errors import UserError
from ftkeras.support.nearest import hint

VERB = "completion"
# Words in the place of a verb that are no verbs.
OTHERS = ("help", VERB)
SHELLS = ("bash", "zsh", "fish")


def script(arguments: Sequence[str]) -> str:
    """Return the script for a shell, or how to use it.

    Args:
        arguments: what follows `completion` on the command line.

    Raises:
        UserError: there is no script for this shell.
    """
    if not arguments or arguments[0] in ("--help", "-h"):
        return _USAGE
    if len(arguments) > 1 or arguments[0] not in SHELLS:
        given = " ".join(arguments)
        raise UserError(
            f"completion takes {', '.join(SHELLS[:-1])} or {SHELLS[-1]}. "
            f"Received: {given!r}{hint(given, SHELLS)}"
        )
    return _fish() if arguments[0] == "fish" else _filled(_TEMPLATES[arguments[0]])


@dataclasses.dataclass(frozen=True)
class _Flag:
    """A flag of a verb: its name, first sentence of help, and the values that can be completed."""

    name: str
    about: str
    values: tuple[str, ...]
    is_switch: bool


def _flags(verb: str) -> Iterator[_Flag]:
    kinds = flagfile.value_types(VERBS[verb].config)
    for field in shown_flags(verb):
        text = field.metadata["help"]
        is_switch = kinds[field.name] is bool
        values = ("true", "false") if is_switch else ()
        if f"{{{field.name}}}" in text:
            values = tuple(catalog.names(field.name))
        about = text.replace("`", "").split(". ")[0].split("{")[0].rstrip(" .:(,")
        yield _Flag(field.name, about, values, is_switch)


def _topics() -> list[str]:
    """Return the names of verbs and parts, which `help` explains."""
    return [*VERBS, *sorted({name for kind in catalog.KINDS for name in catalog.names(kind)})]


def _written(flags: Iterable[_Flag]) -> str:
    return " ".join(f"--{flag.name}" + ("" if flag.is_switch else "=") for flag in flags)


def _values() -> dict[str, str]:
    """Return, for each flag whose values are known in all verbs, these values."""
    by_name: dict[str, set[tuple[str, ...]]] = {}
    for verb in VERBS:
        for flag in _flags(verb):
            by_name.setdefault(flag.name, set()).add(flag.values)
    known = {name: max(values, key=len) for name, values in by_name.items()}
    return {name: " ".join(values) for name, values in known.items() if values}


def _cases(pairs: Iterable[tuple[str, str]], indent: str) -> str:
    return "\n".join(f"{indent}{name}) found={shlex.quote(words)} ;;" for name, words in pairs)


def _by_verb() -> dict[str, str]:
    return {
        "help": " ".join(_topics()),
        VERB: " ".join(SHELLS),
        **{verb: f"{_written(_flags(verb))} --flagfile= --help" for verb in VERBS},
    }


def _filled(template: str) -> str:
    """Return a script of bash or zsh: its template with the verbs, the values and the flags."""
    values = ((f"--{name}", values) for name, values in _values().items())
    return (
        template.replace("@VERBS@", " ".join([*VERBS, *OTHERS]))
        .replace("@VALUES@", _cases(values, " " * 12))
        .replace("@FLAGS@", _cases(_by_verb().items(), " " * 8))
    )


def _fish() -> str:
    start = "complete -c ftkeras"
    lines = ["# fish completion of ftkeras"]
    summaries = {name: verb.summary for name, verb in VERBS.items()}
    summaries |= {"help": "Explain a verb or a part.", VERB: "Print a completion script."}
    for name, summary in summaries.items():
        lines.append(f"{start} -f -n __fish_use_subcommand -a {name} -d {_fish_quoted(summary)}")
    for name, words in (("help", _topics()), (VERB, SHELLS)):
        lines.append(f"{start} -f -n '__fish_seen_subcommand_from {name}' -a '{' '.join(words)}'")
    others = " ".join(name for name in (*VERBS, *OTHERS) if name != "train")
    for verb in VERBS:
        seen = f"__fish_seen_subcommand_from {verb}"
        if verb == "train":  # also without a verb
            seen = f"not __fish_seen_subcommand_from {others}"
        for flag in _flags(verb):
            values = f" -f -a '{' '.join(flag.values)}'" if flag.values else ""
            needs = "" if flag.is_switch else " -r"
            about = _fish_quoted(flag.about)
            lines.append(f"{start} -n '{seen}' -l {flag.name}{needs}{values} -d {about}")
    return "\n".join(lines)


def _fish_quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


_USAGE = """Print a script that completes verbs, flags and parts of ftkeras in a shell.

  bash  echo 'source <(ftkeras completion bash)' >> ~/.bashrc
  zsh   echo 'source <(ftkeras completion zsh)' >> ~/.zshrc   (after compinit)
  fish  ftkeras completion fish > ~/.config/fish/completions/ftkeras.fish"""

_BASH = """# bash completion of ftkeras
_ftkeras() {
    local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}" flag="" found=""
    COMPREPLY=()
    # bash splits words at "=": --schedule=cos is "--schedule", "=" and "cos".
    if [ "$cur" = "=" ]; then
        flag="$prev"; cur=""
    elif [ "$prev" = "=" ]; then
        flag="${COMP_WORDS[COMP_CWORD-2]}"
    fi
    if [ -n "$flag" ]; then
        case "$flag" in
@VALUES@
        esac
        COMPREPLY=($(compgen -W "$found" -- "$cur"))
        return
    fi
    if [ "$COMP_CWORD" = 1 ] && [ "${cur#-}" = "$cur" ]; then
        COMPREPLY=($(compgen -W "@VERBS@" -- "$cur"))
        return
    fi
    local verb="${COMP_WORDS[1]}"
    case "$verb" in -*) verb=train ;; esac
    case "$verb" in
@FLAGS@
    esac
    # Where a flag or a file may follow, files are offered until a dash is typed.
    case "$found" in -*) case "$cur" in -*) ;; *) return ;; esac ;; esac
    COMPREPLY=($(compgen -W "$found" -- "$cur"))
    case "${COMPREPLY[0]}" in *=) compopt -o nospace ;; esac
}
complete -o default -o bashdefault -F _ftkeras ftkeras"""

_ZSH = """#compdef ftkeras
_ftkeras() {
    local verb="${words[2]}" found=""
    if [[ "$PREFIX" == --*=* ]]; then
        case "${PREFIX%%=*}" in
@VALUES@
        esac
        compset -P '*='
        if [[ -n "$found" ]]; then compadd -- ${=found}; else _files; fi
        return
    fi
    if (( CURRENT == 2 )) && [[ "$PREFIX" != -* ]]; then
        compadd -- ${=:-@VERBS@}
        return
    fi
    [[ "$verb" == -* ]] && verb=train
    case "$verb" in
@FLAGS@
    esac
    if [[ "$found" == -* && "$PREFIX" != -* ]]; then _files; return; fi
    local -a all
    all=(${=found})
    compadd -S '' -- ${(M)all:#*=}
    compadd -- ${all:#*=}
}
compdef _ftkeras ftkeras"""

_TEMPLATES = {"bash": _BASH, "zsh": _ZSH}
