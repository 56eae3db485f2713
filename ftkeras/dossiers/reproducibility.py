"""The part about reproducibility: what made the model, on which machine, with which energy."""

from typing import Any

from ftkeras.dossiers import retraining
from ftkeras.dossiers.about import About
from ftkeras.dossiers.part import Part
from ftkeras.dossiers.subject import Subject
from ftkeras.figures.parts import Facts, Missing, Notice, Text
from ftkeras.figures.parts import Part as Shown
from ftkeras.runs import audit, layout
from ftkeras.runs.metrics import read_metrics
from ftkeras.support import hashes, times

JOULES_PER_KWH = 3.6e6
METHOD = (
    "Energy is the stated mean power of the machine times the seconds of the training and of the "
    "run's own phases before it (pretraining, pairs of texts, rounds of self-training), without "
    "evaluation, export, answers of teachers, searches, earlier runs and the pretraining of a "
    "published encoder, and without losses of the data centre. Emissions are the energy times the "
    "stated grams of CO2 a kWh."
)
# The folders of phases that come before a run.
PHASES = {"pretraining": layout.PRETRAINED, "pairs of texts": layout.TUNED_BY_PAIRS}


def part(subject: Subject) -> Part:
    """Return the part about reproducibility; with `prove`, the run is trained again."""
    trained = audit.read(subject.folder).last("trained")
    phases = _phases(subject)
    seconds = sum(phases.values()) if phases else None
    config = subject.config
    data: dict[str, Any] = {
        "seeds": {"seed": config.seed, "data_seed": config.data_seed},
        "deterministic": config.deterministic,
        "hardware": trained.get("hardware"),
        "training_seconds": seconds,
        "seconds_of_phases": phases,
        "code": {"ftkeras": hashes.of_code()},
        "code_of_training": trained.get("code"),
        "energy": energy(subject.about, seconds),
        "proof": retraining.prove(config, subject.folder) if subject.prove else None,
    }
    return Part("reproducibility", "Reproducibility", data, _shown(data))


def _phases(subject: Subject) -> dict[str, float]:
    """Return the seconds of each phase of the run, the last one included, as far as recorded."""
    folder = subject.folder
    seconds = {phase: _seconds(read_metrics(folder / name)) for phase, name in PHASES.items()}
    rounds = sorted((folder / layout.ROUNDS).glob("*/"))
    if rounds:  # the run is a copy of one of them
        seconds |= {f"round {one.name}": _seconds(read_metrics(one)) for one in rounds}
    else:
        seconds["training"] = _seconds(subject.view.metrics)
    return {phase: value for phase, value in seconds.items() if value is not None}


def _seconds(metrics: dict[str, Any]) -> float | None:
    return metrics.get("train", {}).get("seconds")


def energy(about: About, seconds: float | None) -> dict[str, Any] | None:
    """Return an estimate of the energy and emissions of the training; None without its power.

    kWh = watts · seconds / 3.6e6, and grams of CO2 = kWh · grams a kWh.

    Args:
        about: what people state: the power, and the emissions of the electricity.
        seconds: of the training; None if they were not recorded.

    >>> stated = About({"environment.watts": 100.0, "environment.grams_co2_per_kwh": 400.0})
    >>> used = energy(stated, 7200)
    >>> used["kwh"], used["grams_co2"]
    (0.2, 80.0)
    """
    watts = about.statements.get("environment.watts")
    grams = about.statements.get("environment.grams_co2_per_kwh")
    if watts is None or seconds is None:
        return None
    kwh = watts * seconds / JOULES_PER_KWH
    used = {"watts": watts, "seconds": seconds, "kwh": kwh, "method": METHOD}
    return used if grams is None else {**used, "grams_co2": kwh * grams, "grams_a_kwh": grams}


def _shown(data: dict[str, Any]) -> list[Shown]:
    machine, seconds = data["hardware"], data["training_seconds"]
    facts = {
        "Seeds": ", ".join(f"{name} {value}" for name, value in data["seeds"].items()),
        "Deterministic operations": "required" if data["deterministic"] else "not required",
        "Time of training": "not recorded" if seconds is None else _times(data),
        "Machine": _machine(machine) if machine else "not recorded",
        "Code": f"SHA-256 {data['code']['ftkeras']}",
    }
    shown: list[Shown] = [*_proof(data["proof"]), Facts(facts), *_energy(data["energy"])]
    before = data["code_of_training"]
    if before is not None and before != data["code"]["ftkeras"]:
        shown.append(Notice("The code of ftkeras has changed since the training."))
    return shown


def _times(data: dict[str, Any]) -> str:
    total, phases = times.duration(data["training_seconds"]), data["seconds_of_phases"]
    each = ", ".join(f"{times.duration(value)} {phase}" for phase, value in phases.items())
    return f"{total} ({each})" if len(phases) > 1 else total


def _machine(machine: dict[str, Any]) -> str:
    memory = machine.get("memory_bytes")
    return ", ".join(
        [
            f"{machine.get('processor')}, {machine.get('cores')} cores",
            *([f"{memory / 2**30:.0f} GiB"] if memory else []),
            *(machine.get("accelerators") or ["no accelerator"]),
            machine.get("system", ""),
        ]
    )


def _proof(proof: dict[str, Any] | None) -> list[Shown]:
    if proof is None:
        reason = "it was not asked for; --prove trains the run again in a new process."
        return [Missing("Training again", reason)]
    answers, split = proof["predictions"], proof["split"]
    if proof["identical"] and not proof["different_predictions"]:
        text = f"A second training in a new process gave the same bits in all {proof['tensors']:,} "
        also = f", and the same {answers:,} answers on {split}" if answers else ""
        return [Notice(f"{text}tensors{also}.", "good")]
    text = (
        f"A second training gave other weights in {proof['different_tensors']:,} of "
        f"{proof['tensors']:,} tensors, by {proof['largest_difference']:.2g} at most"
    )
    different = f"{proof['different_predictions']:,} of {answers:,} {split} examples"
    return [Notice(f"{text}, and other lines for {different}." if answers else f"{text}.")]


def _energy(used: dict[str, Any] | None) -> list[Shown]:
    if used is None:
        reason = "about.yaml does not state environment.watts, or no time was recorded."
        return [Missing("Energy and emissions", reason)]
    facts = {"Energy": f"{used['kwh']:.3g} kWh, at {used['watts']:g} W"}
    if "grams_co2" in used:
        facts["Emissions"] = f"{used['grams_co2']:.3g} g CO2, at {used['grams_a_kwh']:g} g a kWh"
    return [Facts(facts), Text(METHOD)]
