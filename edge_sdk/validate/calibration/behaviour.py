"""Checks by the model's own answers: wrong scale, swapped channels, one class. Pictures only.

The samples are also given on the other usual scales, and with the channels the other way round. Where the
model's answers are broken as the samples are, and sound on another scale, the samples are on the wrong one.
docs/reference/calibration.md says how far these rules were measured.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_sdk.validate.calibration.evidence import Array, Evidence, SampleSet
from edge_sdk.validate.calibration.model import FloatModel
from edge_sdk.validate.calibration.probing import (
    ceiling_share,
    describe,
    prefers,
    probabilities_of,
)
from edge_sdk.validate.calibration.report import ERROR, NOTE, WARNING, Finding
from edge_sdk.validate.calibration.scale import BYTES, CODE, SIGNED, UNIT, convention_of
from edge_sdk.validate.calibration.statistics import chosen, picture_batch, short
from edge_sdk.validate.calibration.verdicts import (
    ABSURD_MARGIN,
    Version,
    more_often_right,
    share_right,
    tells_more,
    verdict_on,
)

#: Fewer samples than this tell nothing about how answers differ.
ENOUGH = 8
#: Samples asked, and what a slow model may cost: multiply-accumulates of all calls of one version.
MOST, MOST_MACS = 96, 2e10
_CEILING_SAMPLES = 6

Transform = Callable[[Array], Array]


@dataclass(frozen=True)
class Behaviour:
    """What came out.

    Attributes:
        findings: In no order.
        not_checked: What could not be seen, one sentence each.
    """

    findings: tuple[Finding, ...] = ()
    not_checked: tuple[str, ...] = ()


def by_behaviour(evidence: Evidence, path: Path) -> Behaviour:
    """Ask the model.

    Raises:
        ConversionError: This machine cannot run it.
    """
    if evidence.calibration.count < ENOUGH:
        return Behaviour(not_checked=(f"scale by the model's answers: needs {ENOUGH} samples",))
    found = _picture_input(evidence)
    if found is None:
        reason = "scale by the model's answers: no input looks like a picture"
        if evidence.evaluation is None:
            reason += "; without evaluation data a wrong scale is not seen"
        return Behaviour(not_checked=(reason,))
    model = FloatModel(path, evidence.contract.default_signature)
    keeping = FloatModel(path, evidence.contract.default_signature, keep=True)
    if keeping.is_untrained():
        reason = "scale by the model's answers: all its biases are 0, as before training"
        return Behaviour(not_checked=(reason,))
    most = int(min(MOST, max(ENOUGH + 2, MOST_MACS / max(1, model.macs))))
    inquiry = _Inquiry(evidence, model, keeping, found, most)
    base = inquiry.ask("as given", None)
    if base is None:
        reason = (
            "scale by the model's answers: no output is known to hold probabilities; where one holds scores "
            'of classes, name them (labels in edge.toml) or say activation = "softmax" under [output.NAME]'
        )
        return Behaviour(findings=tuple(inquiry.guess()), not_checked=(reason,))
    findings = inquiry.scale(base)
    if not findings:
        findings = [*inquiry.channels(base), *inquiry.sameness(base)]
    return Behaviour(findings=tuple(findings))


class _Inquiry:
    def __init__(
        self, evidence: Evidence, model: FloatModel, keeping: FloatModel, name: str, most: int
    ) -> None:
        self._evidence = evidence
        self._model = model
        self._keeping = keeping
        self._name = name
        self._most = most
        self._samples = _some(evidence.calibration, most)
        self._scores_known = any(
            item is not None and item.classes() is not None
            for item in (evidence.calibration, evidence.evaluation)
        )

    def ask(self, name: str, transform: Transform | None, samples: SampleSet | None = None) -> Version | None:
        inputs = self._transformed((samples or self._samples).inputs, transform)
        scores = probabilities_of(
            self._model.answers(inputs), self._evidence.contract, scores_known=self._scores_known
        )
        return None if scores is None else Version(name, describe(scores[1]))

    def scale(self, base: Version) -> list[Finding]:
        values = self._samples.inputs[self._name]
        given = convention_of(values)
        versions = []
        for name, transform in _other_scales(given, values).items():
            version = self.ask(name, transform)
            if version is not None:
                versions.append(self._with_cut(version, transform))
        base = self._with_cut(base, None)
        verdict = self._by_labels(base, versions) or verdict_on(given, base, versions)
        if verdict is None or self._is_refuted(verdict[2], given):
            return []
        level, why, better = verdict
        now, then = base.answers, better.answers
        return [
            Finding(
                code=CODE,
                level=level,
                what=f"{self._name!r} seems to be on the wrong scale: as given ({given or 'no usual scale'}) "
                f"{why}; brought to {better.name} the answers are sound",
                numbers={
                    "minimum": short(values.min()),
                    "maximum": short(values.max()),
                    "seems_trained_on": better.name,
                    "information": now.information,
                    "information_there": then.information,
                    "confidence": short(now.sure),
                    "confidence_there": short(then.sure),
                    "margin": now.margin,
                    "margin_there": then.margin,
                    "cut_at_ceiling": base.cut,
                    "cut_at_ceiling_there": better.cut,
                },
                hint="scale the samples as in the training code; with evaluation data and labels "
                "(--evaluation) this is certain instead of likely",
                input=self._name,
            )
        ]

    def guess(self) -> list[Finding]:
        """Take an output for scores of classes although nobody says so, and report only the plainest case.

        Embeddings and positions look like scores too, but are not absurdly sure on one scale and those of a
        good classifier on the other.
        """
        if convention_of(self._samples.inputs[self._name]) != BYTES:
            return []
        self._scores_known = True
        base = self.ask("as given", None)
        if base is None or base.answers.margin < ABSURD_MARGIN or base.answers.classes < 3:
            return []
        names = {UNIT, SIGNED}
        scales = _other_scales(BYTES, self._samples.inputs[self._name])
        most = np.log(min(base.answers.classes, len(base.answers.confidence)))
        sound = [
            version.answers.sure >= 0.8 and version.answers.information >= 0.5 * most and version.is_sound
            for version in (self.ask(name, scales[name]) for name in sorted(names))
            if version is not None
        ]
        return self.scale(base) if any(sound) else []

    def channels(self, base: Version) -> list[Finding]:
        values = self._samples.inputs[self._name]
        swap = _channel_swap(values, self._name, self._evidence)
        if swap is None:
            return []
        swapped = self.ask("swapped", swap)
        if swapped is None:
            return []
        preference = prefers(swapped.answers, base.answers)
        better = swapped.answers.information > base.answers.information
        numbers: dict[str, float] = {
            "confidence": short(base.answers.sure),
            "confidence_swapped": short(swapped.answers.sure),
            "information": base.answers.information,
            "information_swapped": swapped.answers.information,
            "share_surer_swapped": preference.share,
            "strength": preference.strength,
        }
        level = None
        if better and preference.strength >= 2.2 and preference.share >= 0.75:
            level = ERROR if preference.strength >= 3.5 and preference.share >= 0.85 else WARNING
        if tells_more(swapped.answers, base.answers):
            level = ERROR
        labels = self._samples.classes()
        if labels is not None:
            level = more_often_right(swapped, base, labels)
        meant = self._evaluation_like(values)
        if meant is not None:
            straight, other = self.ask("evaluation", None, meant), self.ask("evaluation", swap, meant)
            if straight is not None and other is not None:
                there = prefers(other.answers, straight.answers)
                numbers["evaluation_strength"] = there.strength
                if there.strength <= -1.0 and preference.strength >= 1.5:
                    level = ERROR if preference.strength - there.strength >= 4.0 else WARNING
        if level is None:
            return []
        return [
            Finding(
                code="CALIBRATION-CHANNEL-ORDER",
                level=level,
                what=f"the channels of {self._name!r} seem to be in reverse order (RGB and BGR): swapped, "
                f"the model is surer about {preference.share:.0%} of the samples, and its answers tell "
                f"{swapped.answers.information:.2f} instead of {base.answers.information:.2f} nats",
                numbers=numbers,
                hint="load the pictures in the order of the training code: OpenCV gives BGR, Pillow and "
                "TensorFlow RGB",
                input=self._name,
            )
        ]

    def sameness(self, base: Version) -> list[Finding]:
        answers, count = base.answers, len(base.answers.confidence)
        numbers = {
            "samples": count,
            "confidence": short(answers.sure),
            "information": answers.information,
            "varies": answers.varies,
        }
        if answers.varies < 0.01 and answers.sure < 0.98:
            return [
                Finding(
                    code="CALIBRATION-SAME-ANSWER",
                    level=WARNING,
                    what=f"the model gives nearly the same, unsure answer to all {count} samples",
                    numbers=numbers,
                    hint="an untrained model does so, and a trained one on inputs of another kind or scale",
                )
            ]
        labels = self._evidence.calibration.classes()
        if labels is not None or answers.positions > 1 or count < 10:
            return []
        favourite, times = Counter(answers.best.tolist()).most_common(1)[0]
        if times >= 0.9 * count:
            return [
                Finding(
                    code="CALIBRATION-ONE-CLASS",
                    level=WARNING if answers.classes > 2 else NOTE,
                    what=f"the model sees the same class ({favourite}) in {times} of {count} samples",
                    numbers={**numbers, "class": favourite, "share": short(times / count)},
                    hint="take samples from every class",
                )
            ]
        return []

    def _with_cut(self, version: Version, transform: Transform | None) -> Version:
        few = _some(self._samples, _CEILING_SAMPLES)
        cut = ceiling_share(self._keeping, self._transformed(few.inputs, transform))
        return Version(version.name, version.answers, cut)

    def _by_labels(self, base: Version, versions: list[Version]) -> tuple[str, str, Version] | None:
        """Let the calibration data's own labels decide, where it has some."""
        labels = self._samples.classes()
        best = max(versions, key=lambda item: share_right(item, labels), default=None)
        if labels is None or best is None:
            return None
        level = more_often_right(best, base, labels)
        if level is None:
            return None
        why = f"the model gives {share_right(base, labels):.0%} of the samples their label"
        return level, f"{why} and not {share_right(best, labels):.0%}", best

    def _is_refuted(self, better: Version, given: str | None) -> bool:
        """Return whether labelled data on the given scale is answered as rightly as on the other one."""
        values = self._samples.inputs[self._name]
        for samples in (self._samples, self._evaluation_like(values)):
            labels = None if samples is None else samples.classes()
            if labels is None:
                continue
            transform = _other_scales(given, values)[better.name]
            now, then = self.ask("", None, samples), self.ask("", transform, samples)
            if (
                now is not None
                and then is not None
                and share_right(now, labels) >= share_right(then, labels) - 0.02
            ):
                return True
        return False

    def _evaluation_like(self, values: Array) -> SampleSet | None:
        """Return evaluation samples on the same scale as the calibration's, or None."""
        meant = self._evidence.evaluation
        if meant is None or self._name not in meant.inputs or meant.count < ENOUGH:
            return None
        some = _some(meant, self._most)
        return some if convention_of(some.inputs[self._name]) == convention_of(values) else None

    def _transformed(self, inputs: Mapping[str, Array], transform: Transform | None) -> dict[str, Array]:
        values = inputs[self._name]
        changed = values if transform is None else transform(values).astype(values.dtype)
        return {**inputs, self._name: changed}


def _other_scales(given: str | None, values: Array) -> dict[str, Transform]:
    """Return how samples on one usual scale are brought to the others."""
    if given == UNIT:
        return {BYTES: lambda v: v * 255.0, SIGNED: lambda v: v * 2.0 - 1.0}
    if given == SIGNED:
        return {UNIT: lambda v: (v + 1.0) / 2.0, BYTES: lambda v: (v + 1.0) * 127.5}
    if given == BYTES:
        return {UNIT: lambda v: v / 255.0, SIGNED: lambda v: v / 127.5 - 1.0}
    low, high = float(values.min()), float(values.max())
    if -8.0 < low < 0 and 0 < high < 8.0:
        # Standardized values of unknown mean and spread: their extent is that of pixels, about.
        return {BYTES: lambda v: (v - low) * np.float32(255.0 / (high - low))}
    return {}


def _channel_swap(values: Array, name: str, evidence: Evidence) -> Transform | None:
    pictures = picture_batch(values, name, evidence.contract)
    if pictures is None or pictures.shape[-1] != 3:
        return None
    if np.array_equal(pictures[..., 0], pictures[..., 2]):
        return None
    axis = values.ndim - 1 if values.shape[-1] == 3 else values.ndim - 3
    return lambda v: np.flip(v, axis)


def _picture_input(evidence: Evidence) -> str | None:
    for name, values in evidence.calibration.inputs.items():
        if picture_batch(values, name, evidence.contract) is not None:
            return name
    return None


def _some(samples: SampleSet, most: int) -> SampleSet:
    return samples.take(list(chosen(samples.count, most)))
