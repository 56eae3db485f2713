"""Questions about texts from the user's own files."""

import collections
import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence

import tensorflow as tf

from ftkeras.data.questions.reading import QuestionFile, open_questions
from ftkeras.data.questions.records import Columns
from ftkeras.data.sources.stream import Example, stream
from ftkeras.data.tables.reading import Options
from ftkeras.data.tables.texts import encode
from ftkeras.errors import UserError
from ftkeras.problems import Problem
from ftkeras.problems import question_answering as problem
from ftkeras.support import answers, bounds
from ftkeras.support.cached_methods import cached_method
from ftkeras.tasks._file_task import FileTask

Column = str | int
ANSWER = tf.TensorSpec((), tf.string)
# A text that ends so many contexts and is the answer there probably stands for no answer.
OFTEN = 10


class QuestionAnswering(FileTask):
    """Find the answers to questions in their contexts, both from your own files.

    Files may be JSON in the layout of SQuAD 1.1 and 2.0, or tables with a question, a context, an
    answer and the character at which it starts. An answer that is not at its start is moved there
    if its text occurs exactly once in the context. Otherwise the question is refused.

    Args:
        train: a file or glob pattern with the questions to train on, or several of these.
        test: files to test on; None to hold out a part of `train`.
        validation: files to validate on; None to hold out a part of `train`.
        text: for tables, the column of the question; None to find it by its name.
        pair: the column of the context.
        label: the column of the answer: a text, or {'text': [...], 'answer_start': [...]}.
        start: the column of the character at which the answer starts.
        no_answer: whether a question may have no answer; None to decide by the questions in
            `train`.
        threshold: the `null_score_diff` above which there is no answer, a number; or "tuned" to
            choose it on validation.
        longest: the maximum number of tokens of an answer; positive.
        n_best: how many of the best answers are returned; positive.
        header: whether the first row of a table names the columns.
        delimiter: the character between the fields of a text file.
        encoding: the encoding of text files, such as 'cp1252'.
        data_dir: the folder for relative file names; None for the current one.
        known_labels: the outputs of the run, when a run is evaluated.

    Raises:
        ValueError: if an argument is wrong. The message names it and the value.
    """

    problem_class = problem.QuestionAnswering
    labels = ("start", "end")
    pairs = True

    def __init__(
        self,
        *,
        train: str | Sequence[str],
        test: str | Sequence[str] | None = None,
        validation: str | Sequence[str] | None = None,
        text: Column | None = None,
        pair: Column | None = None,
        label: Column | None = None,
        start: Column | None = None,
        no_answer: bool | None = None,
        threshold: str | float = "tuned",
        longest: int = 30,
        n_best: int = 20,
        header: bool | None = None,
        delimiter: str | None = None,
        encoding: str | None = None,
        data_dir: str | None = None,
        known_labels: Sequence[str] | None = None,
    ):
        bounds.integer(1, longest=longest, n_best=n_best)
        is_number = isinstance(threshold, int | float) and not isinstance(threshold, bool)
        if threshold != problem.TUNED and not is_number:
            raise ValueError(f"`threshold` must be 'tuned' or a number. Received: {threshold!r}.")
        super().__init__(
            files={"train": train, "validation": validation, "test": test},
            options=Options(header=header, delimiter=delimiter, encoding=encoding),
            data_dir=data_dir,
        )
        self._columns = Columns(text=text, pair=pair, label=label, start=start)
        self._no_answer = no_answer
        self._settings = {"threshold": threshold, "longest": longest, "n_best": n_best}
        self._is_recorded = known_labels is not None

    @property
    def notes(self) -> tuple[str, ...]:
        """The layout of `train`, and which answers were moved, a phrase each."""
        counts, notes = self._counts, [self._file("train").layout]
        if counts.without_answer:
            notes.append(f"{counts.without_answer:,} of {counts.questions:,} without an answer")
        if moved := counts.moved:
            were = "1 answer was" if moved == 1 else f"{moved:,} answers were"
            notes.append(f"{were} not at the given character, and moved to where the text occurs")
        if counts.likely_none:
            text, times = counts.likely_none
            notes.append(
                f"{times:,} of {counts.questions:,} have the answer {text!r} at the end of their "
                "context; if it means no answer, leave these answers empty"
            )
        return tuple(notes)

    @property
    def columns(self) -> Mapping[str, object]:
        """The columns that hold question, context and answer, for evaluating on other files."""
        named = {k: v for k, v in dataclasses.asdict(self._columns).items() if v is not None}
        columns = {**self._file("train").columns, **named}
        listed = {"text": [columns["text"]]} if "text" in columns else {}
        return listed | {name: columns[name] for name in ("pair", "label") if name in columns}

    def problem(self, labels: Sequence[str] | None = None) -> Problem:
        if self._no_answer is not None or self._is_recorded:
            no_answer = self._no_answer is not False
        else:
            no_answer = self._counts.without_answer > 0
        return self.problem_class(
            labels=labels or self.labels, no_answer=no_answer, **self._settings
        )

    def splits(self) -> dict[str, tf.data.Dataset]:
        """Return one dataset for each of train, validation and test that is given.

        Raises:
            UserError: for a file that is missing, or has another layout; if `no_answer` is False
                and a question to train on has no answer.
        """
        for name in self._files:
            self._file(name)
        if self._no_answer is False and (count := self._counts.without_answer):
            raise UserError(
                f"`no_answer` is False, but {count:,} of {self._counts.questions:,} questions of "
                f"{self._file('train').name!r} have no answer."
            )
        return {
            name: stream(functools.partial(self._examples, name), pairs=True, target=ANSWER)
            for name in self._files
        }

    def texts(self) -> dict[str, tf.data.Dataset]:
        """Return the contexts and the questions, each once, although contexts have several."""
        return {
            name: stream(functools.partial(self._distinct, name)).map(
                lambda example: {"text": example["text"]}
            )
            for name in self._files
        }

    @functools.cached_property
    def _counts(self) -> "_Counts":
        """The counts of `train`, which is read once."""
        questions = without = moved = 0
        last: collections.Counter[str] = collections.Counter()
        for _, question in self._file("train").rows():
            questions += 1
            without += not question.answers
            moved += question.moved
            end = len(question.context.rstrip())
            last.update({text for start, text in question.answers if start + len(text) == end})
        often = [repeated for repeated in last.most_common(1) if repeated[1] >= OFTEN]
        return _Counts(questions, without, moved, *often)

    @cached_method
    def _file(self, split: str) -> QuestionFile:
        return open_questions(self._files[split], self._folder, self._columns, self._options)

    def _distinct(self, split: str) -> Iterator[Example]:
        """Yield the texts of a split."""
        known = set()
        for _, question in self._file(split).rows():
            for text in (question.context, question.text):
                if text not in known:
                    known.add(text)
                    yield {"text": encode(text), "label": 0}

    def _examples(self, split: str) -> Iterator[Example]:
        for _, question in self._file(split).rows():
            stored = answers.encode(question.context, question.answers, question.id)
            texts = {"text": encode(question.text), "pair": encode(question.context)}
            yield texts | {"label": stored}


@dataclasses.dataclass(frozen=True)
class _Counts:
    """Counts of questions and their answers.

    Attributes:
        questions: how many there are.
        without_answer: those without an answer.
        moved: how many answers were not where the data said.
        likely_none: a text that often is the answer at the end of a context, and how often; None if
            there is none.
    """

    questions: int
    without_answer: int
    moved: int
    likely_none: tuple[str, int] | None = None
