"""word_error and label_error: sequences, by the number of edits.

Labels: `y` [samples, most] of token numbers, filled up with -1. The output is [steps, tokens] of scores (the
best token of each step is taken; with the option `blank` repeated tokens are merged and blanks dropped, as in
CTC), or [steps] of token numbers that end at a negative one or at the option `end`.

The error is insertions, deletions and replacements over all samples, divided by the length of all labels: it
can exceed 1. A word is what stands between two `separator` tokens: the option, else the contract's label that
is a space or "|"; where there is neither, every token is a word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from edge_sdk.errors import ConfigError
from edge_sdk.validate.metrics.metric import (
    WHOLE,
    Array,
    Metric,
    OptionReader,
    Request,
    Score,
    without_batch,
)

_SPACES = (" ", "|", "<space>", "\N{LOWER ONE EIGHTH BLOCK}")
_LONGEST_TEXT = 60


class EditRate(Metric):
    """Edits by the length of the labels."""

    higher_is_better = False
    bounds = None

    def __init__(
        self,
        request: Request,
        output: str,
        *,
        blank: int | None,
        end: int | None,
        separator: int | None,
    ) -> None:
        self.name = request.name
        self.output = output
        self.uses = (output,)
        self._blank = blank
        self._end = end
        self._separator = separator
        self._names = request.class_names
        self._labels = [self._ended(row) for row in request.part(WHOLE)]

    @property
    def empty(self) -> bool:
        """Whether no label has anything to compare with."""
        return not any(self._units(row) for row in self._labels)

    def score(self, outputs: Mapping[str, Array]) -> Score:
        """Score; a sample's own score is its edits by its length (by 1 where it is empty)."""
        found = self.decoded(outputs)
        pairs = [(self._units(want), self._units(got)) for want, got in zip(self._labels, found, strict=True)]
        edits = np.array([edit_distance(want, got) for want, got in pairs], np.float64)
        lengths = np.array([len(want) for want, _ in pairs], np.float64)

        def resampled(counts: Array) -> Array:
            length = counts @ lengths
            rate = np.full(len(counts), np.nan)
            return np.asarray(np.divide(counts @ edits, length, out=rate, where=length > 0))

        return Score(
            value=float(resampled(np.ones((1, len(edits))))[0]),
            per_sample=edits / np.maximum(lengths, 1.0),
            resampled=resampled,
            cost=2 * len(edits),
        )

    def describe(self, outputs: Mapping[str, Array], score: Score, index: int) -> int | float | str | None:
        """Return the sequence as a text."""
        one = {self.output: outputs[self.output][index : index + 1]}
        return self._text(self.decoded(one)[0])

    def label(self, index: int) -> int | float | str | None:
        """Return the sequence as a text."""
        return self._text(self._labels[index])

    def decoded(self, outputs: Mapping[str, Array]) -> list[list[int]]:
        """Return the tokens of every sample."""
        values = outputs[self.output]
        if values.dtype.kind in "iu":
            steps = values.reshape(len(values), -1)
        else:
            steps = without_batch(values, 2).argmax(axis=2)
        return [self._merged(self._ended(row)) for row in steps]

    def _ended(self, row: Array) -> list[int]:
        """Return the tokens before the end."""
        tokens: list[int] = []
        for token in (int(value) for value in row):
            if token < 0 or token == self._end:
                break
            tokens.append(token)
        return tokens

    def _merged(self, tokens: list[int]) -> list[int]:
        """Merge what CTC repeats and drop its blanks."""
        if self._blank is None:
            return tokens
        new = [token for index, token in enumerate(tokens) if index == 0 or token != tokens[index - 1]]
        return [token for token in new if token != self._blank]

    def _units(self, tokens: Sequence[int]) -> list[tuple[int, ...]]:
        if self._separator is None:
            return [(token,) for token in tokens]
        words: list[list[int]] = [[]]
        for token in tokens:
            if token == self._separator:
                words.append([])
            else:
                words[-1].append(token)
        return [tuple(word) for word in words if word]

    def _text(self, tokens: Sequence[int]) -> str:
        known = [self._names[token] if token < len(self._names) else str(token) for token in tokens]
        text = ("" if all(len(name) == 1 for name in known) else " ").join(known)
        return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 3] + "..."


def edit_distance(want: Sequence[object], got: Sequence[object]) -> int:
    """Return the fewest insertions, deletions and replacements that turn one sequence into the other."""
    numbers: dict[object, int] = {}
    one, two = (
        np.array([numbers.setdefault(item, len(numbers)) for item in items], np.int64)
        for items in (want, got)
    )
    steps = np.arange(len(two) + 1)
    row = steps.copy()
    for index, wanted in enumerate(one, 1):
        new = np.empty_like(row)
        new[0] = index
        np.minimum(row[1:] + 1, row[:-1] + (two != wanted), out=new[1:])
        # Insertions run along the row: the least of what lies to the left, one more for each step.
        row = np.minimum.accumulate(new - steps) + steps
    return int(row[-1])


def make(request: Request) -> EditRate:
    """Make the metric that `request.name` names.

    Raises:
        ConfigError: Labels that are no sequences, an output that holds none, or a wrong option.
    """
    options = OptionReader(request.name, request.options)
    blank = options.integer("blank", None, -1)
    end = options.integer("end", None, 0)
    separator = options.integer("separator", None, 0) if request.name == "word_error" else None
    options.done()
    request.refuse_roles("tokens")
    labels = request.part(WHOLE)
    if labels.dtype.kind not in "iu" or labels.ndim != 2:
        raise request.misfit(
            f"y is {labels.dtype}{list(labels.shape)}; integer [samples, most] is needed, filled up with -1"
        )
    output = request.outputs.get("tokens") or _output(request)
    answers = request.reference[output]
    if not _holds_sequences(answers):
        raise request.misfit(
            f"output {output!r} is {answers.dtype}{list(answers.shape[1:])}, neither scores [steps, tokens] "
            "nor integers [steps]"
        )
    if answers.dtype.kind == "f":
        tokens = answers.shape[-1]
        if int(labels.max()) >= tokens:
            raise request.misfit(f"y has token {int(labels.max())}; output {output!r} has 0 to {tokens - 1}")
        blank = tokens - 1 if blank == -1 else blank
    if request.name == "word_error" and separator is None:
        separator = next((i for i, name in enumerate(request.class_names) if name in _SPACES), None)
    metric = EditRate(request, output, blank=blank, end=end, separator=separator)
    if metric.empty:
        raise request.misfit("every label is empty")
    return metric


def _output(request: Request) -> str:
    fitting = [name for name, values in request.reference.items() if _holds_sequences(values)]
    if len(fitting) == 1:
        return fitting[0]
    raise ConfigError(
        f"metric {request.name!r}: which output holds the sequence?",
        why="outputs: " + request.describe_outputs(),
        hint='[metric] outputs = { tokens = "..." }',
        metric=request.name,
    )


def _holds_sequences(values: Array) -> bool:
    if values.dtype.kind in "iu":
        return values.ndim >= 2
    return values.dtype.kind == "f" and without_batch(values, 2).ndim == 3
