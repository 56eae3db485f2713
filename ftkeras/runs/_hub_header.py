"""Write the YAML header with which the Hugging Face Hub indexes a model.

Source: https://huggingface.co/docs/hub/model-cards#model-card-metadata.
"""

import pathlib

from ftkeras.checkpoints import huggingface
from ftkeras.problems import Problem


def render(
    *,
    task: str,
    problem: Problem,
    metrics: dict,
    language: str | list[str] | None,
    license: str | None,
    dataset: str | None,
    checkpoint: str | None,
) -> str:
    """Return the header, between lines of `---`. What is not known is omitted.

    Args:
        task: The task's name.
        problem: What the model predicts about a text.
        metrics: The run's metrics, by split.
        language: ISO 639-1 codes.
        license: The license's identifier on the Hub.
        dataset: The data's id on the Hub.
        checkpoint: The folder or Hub id of the pretrained encoder.
    """
    from huggingface_hub import ModelCardData  # imports an HTTP client, so not above

    results = _results(task, problem, metrics, dataset)
    header = ModelCardData(
        language=language,
        license=license,
        library_name=problem.library,
        pipeline_tag=problem.pipeline,
        tags=["ftkeras"],
        datasets=[dataset] if dataset else None,
        metrics=list(problem.hub_metrics.values()),
        base_model=checkpoint if checkpoint and _is_hub_id(checkpoint) else None,
        # A model index needs at least one result.
        model_name=task if results else None,
        eval_results=results or None,
    )
    return f"---\n{header.to_yaml()}\n---\n\n"


def _results(task: str, problem: Problem, metrics: dict, dataset: str | None) -> list:
    from huggingface_hub import EvalResult

    return [
        EvalResult(
            task_type=problem.pipeline or "other",
            dataset_type=dataset or task,
            dataset_name=task,
            dataset_split=split,
            metric_type=hub_name,
            metric_value=metrics[split][name],
        )
        for split in ("validation", "test")
        if split in metrics
        for name, hub_name in problem.hub_metrics.items()
        if metrics[split][name] is not None
    ]


def _is_hub_id(checkpoint: str) -> bool:
    is_folder = pathlib.Path(checkpoint).expanduser().is_dir()
    return not is_folder and huggingface.HUB_ID.fullmatch(checkpoint) is not None
