"""The rules by which a model's answers to several versions of the samples are judged.

docs/reference/calibration.md has them as a table, with what they were measured on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_sdk.validate.calibration.evidence import Array
from edge_sdk.validate.calibration.probing import Answers, prefers
from edge_sdk.validate.calibration.report import ERROR, WARNING
from edge_sdk.validate.calibration.scale import BYTES

#: A margin that no trained classifier has in the median: odds of e^50.
ABSURD_MARGIN = 50.0
#: A margin that trained classifiers stay below.
SOUND_MARGIN = 30.0
#: Nats below which every sample gets the same answer.
NO_INFORMATION = 0.05
#: Nats above which answers differ from sample to sample.
INFORMATION = 0.25
#: Share of what a layer lets through that is cut at its ceiling: sound layers stay below.
CUT, SOUND_CUT = 0.15, 0.25


@dataclass(frozen=True)
class Version:
    """One version of the samples and what the model makes of it.

    Attributes:
        name: The scale, or what else was changed.
        answers: To all samples.
        cut: Largest share of what one of the first layers lets through that is cut off at its ceiling.
    """

    name: str
    answers: Answers
    cut: float = 0.0

    @property
    def is_sound(self) -> bool:
        """Whether a trained model could answer so."""
        return 0.5 <= self.answers.margin <= SOUND_MARGIN and self.cut <= SOUND_CUT


def verdict_on(given: str | None, base: Version, versions: list[Version]) -> tuple[str, str, Version] | None:
    """Return level, reason and the version that is sound; None where the samples may stay as they are."""
    sound = sorted((item for item in versions if item.is_sound), key=lambda item: -item.answers.information)
    # What a model trained on small values is told by large ones, the other way round is silence: bytes that
    # still say something when divided by 255 are not what the model was trained on.
    for item in sound:
        why = _too_large(base, item) if given == BYTES else _too_small(base, item)
        if why is not None:
            return ERROR, why, item
    for item in sound:
        if item.name == BYTES or base.answers.margin >= SOUND_MARGIN:
            continue
        found = _shifted(base, item)
        if found is not None:
            return *found, item
    return None


def _too_small(base: Version, better: Version) -> str | None:
    now, then = base.answers, better.answers
    silent = now.information < NO_INFORMATION and then.information > max(INFORMATION, 20 * now.information)
    if silent and (then.sure >= 0.6 or then.sure > 3 * now.sure):
        return "the model gives the same answer to all samples"
    return None


def _too_large(base: Version, better: Version) -> str | None:
    now, then = base.answers, better.answers
    if then.information < INFORMATION:
        return None
    if now.margin >= ABSURD_MARGIN:
        return f"the model is absurdly sure (odds of e^{now.margin:.0f})"
    if base.cut >= CUT and better.cut <= base.cut / 3:
        return f"{base.cut:.0%} of what the first layers let through is cut off at their ceiling"
    if then.information > 2 * now.information and prefers(then, now).share >= 0.9:
        return f"the model is unsure (its best class has {now.sure:.2f} on average)"
    if now.margin >= 3 * then.margin:
        return f"the model is {now.margin / then.margin:.0f} times as sure of a decision"
    return None


def _shifted(base: Version, better: Version) -> tuple[str, str] | None:
    now, then = base.answers, better.answers
    preference = prefers(then, now)
    gained = then.information - now.information
    if then.information < INFORMATION or gained <= 0:
        return None
    why = f"the model is less sure about {preference.share:.0%} of the samples"
    clear = preference.share >= 0.7 and preference.strength >= 4.0 and preference.gain >= 0.05
    if clear and gained > 0.1 * now.information and len(now.confidence) >= 16:
        return ERROR, why
    if tells_more(then, now):
        return ERROR, f"the answers tell {now.information:.2f} and not {then.information:.2f} nats"
    if preference.share >= 0.75 and preference.strength >= 2.0 and preference.gain >= 0.03:
        return WARNING, why
    return None


def tells_more(then: Answers, now: Answers) -> bool:
    """Return whether answers differ far more from sample to sample, and as much as those of a classifier."""
    most = float(np.log(min(then.classes, len(then.confidence))))
    return then.information >= 1.5 * now.information and then.information >= 0.5 * most


def share_right(version: Version, labels: Array | None) -> float:
    """Return the share of the samples whose best class is their label; 0 without labels."""
    return 0.0 if labels is None else float(np.mean(version.answers.best == labels))


def more_often_right(better: Version, base: Version, labels: Array) -> str | None:
    """Return the level where one version gets more labels right than by chance (McNemar's test)."""
    now, then = base.answers.best == labels, better.answers.best == labels
    won, lost = int(np.sum(then & ~now)), int(np.sum(now & ~then))
    if won - lost < 4 or (won - lost) < 2.5 * np.sqrt(won + lost):
        return None
    return ERROR if won - lost >= 0.1 * len(labels) else WARNING
