"""Ask cleanlab which labels are wrong, as the reference for ours.

    python tests/statistics/make_confident_learning.py

It needs cleanlab 2.9, and writes confident_learning.npz beside itself: for each number of classes,
labels of which some are wrong, probabilities, cleanlab's thresholds, its normalized margins, and
the issues that its filter "confident_learning" finds, ranked by these margins. The most probable
class is always one that is above its threshold, if any is: of several such classes, cleanlab takes
the most probable class of all, the paper that of these.
"""

import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent
EXAMPLES = 400


def _sample(classes: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(classes)
    truth = random.integers(classes, size=EXAMPLES)
    logits = random.normal(size=(EXAMPLES, classes)) + 1.5 * np.eye(classes)[truth]
    powers = np.exp(logits)
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    wrong = random.random(EXAMPLES) < 0.15
    labels = np.where(wrong, random.integers(classes, size=EXAMPLES), truth)
    own = [probabilities[labels == k, k].mean() for k in range(classes)]
    above = np.where(probabilities >= own, probabilities, -1)
    agrees = (above.max(axis=1) < 0) | (above.argmax(axis=1) == probabilities.argmax(axis=1))
    return labels[agrees], probabilities[agrees]


def main() -> None:
    from cleanlab import count, filter, rank

    found = {}
    for classes in (2, 3, 5):
        labels, probabilities = _sample(classes)
        issues = filter.find_label_issues(
            labels,
            probabilities,
            filter_by="confident_learning",
            return_indices_ranked_by="normalized_margin",
        )
        found |= {
            f"labels_{classes}": labels,
            f"probabilities_{classes}": probabilities.astype("float32"),
            f"thresholds_{classes}": count.get_confident_thresholds(labels, probabilities),
            f"margins_{classes}": rank.get_normalized_margin_for_each_label(labels, probabilities),
            f"issues_{classes}": issues,
        }
    np.savez_compressed(HERE / "confident_learning.npz", **found)


if __name__ == "__main__":
    main()
