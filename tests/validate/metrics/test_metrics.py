"""Classes, values, masks, sequences: each against numbers worked by hand; and what does not fit is named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge_sdk.errors import ConfigError
from edge_sdk.validate.facts import VariantFacts
from edge_sdk.validate.metrics import fitting_metric, make_metric, metric_facts, metric_key
from edge_sdk.validate.metrics.metric import Metric
from edge_sdk.validate.metrics.sequences import edit_distance

RANDOM = np.random.default_rng(8)
SCORES = RANDOM.normal(size=(60, 10)).astype(np.float32)
LABELS = SCORES.argmax(axis=1)


def make(
    name: str | None, labels: Any, answers: dict[str, np.ndarray], names: tuple[str, ...] = (), **spec: Any
) -> Metric:
    parts = labels if isinstance(labels, dict) or labels is None else {"y": np.asarray(labels)}
    metric = make_metric({"name": name, **spec}, labels=parts, reference=answers, class_names=names)
    assert metric is not None
    return metric


def value(name: str, labels: Any, output: np.ndarray, names: tuple[str, ...] = (), **options: Any) -> float:
    outputs = {"out": output}
    return make(name, labels, outputs, names, options=options).score(outputs).value


class TestClasses:
    def test_top_k(self) -> None:
        order = np.argsort(-SCORES, axis=1)
        third = order[:, 2]
        assert value("top1", third, SCORES) == value("top2", third, SCORES) == 0.0
        assert value("top3", third, SCORES) == value("topk", third, SCORES, k=3) == 1.0
        assert make("topk", LABELS, {"out": SCORES}).name == "top5"

    def test_of_equal_scores_the_first_class_wins(self) -> None:
        assert value("top1", [0, 1], np.zeros((2, 3), np.float32)) == 0.5
        assert value("top2", [1, 2], np.zeros((2, 3), np.float32)) == 0.5

    def test_the_batch_axis_of_an_answer_does_not_matter(self) -> None:
        assert value("top1", LABELS[:, None], SCORES[:, None, :, None]) == 1.0

    def test_confusion_and_worst_samples(self) -> None:
        given = SCORES.copy()
        given[4, LABELS[4]] -= 9.0  # broken by the variant
        given[9, LABELS[9]] -= 5.0
        labels = LABELS.copy()
        labels[20] = (labels[20] + 1) % 10  # wrong in both
        facts = metric_facts(make("top1", labels, {"out": SCORES}), {"out": SCORES}, {"out": given})
        assert (facts["reference_metric"], facts["metric"]) == (0.98333, 0.95)
        worst = facts["worst"]
        assert [sample.index for sample in worst] == [4, 9, 20]
        assert worst[0].label == worst[0].reference == LABELS[4] != worst[0].given
        assert worst[2].reference == worst[2].given == LABELS[20] != worst[2].label
        counts = np.array(facts["confusion"].counts)
        assert counts.sum() == 60
        assert np.trace(counts) == 57
        assert sum(pair.count for pair in facts["confusion"].pairs) == 3
        assert counts[LABELS[4], given[4].argmax()] >= 1

    def test_over_a_hundred_classes_only_pairs_are_kept(self) -> None:
        scores = RANDOM.normal(size=(40, 300)).astype(np.float32)
        labels = RANDOM.integers(0, 300, 40)
        found = metric_facts(make("top1", labels, {"out": scores}), {"out": scores}, {"out": scores})[
            "confusion"
        ]
        assert (found.classes, found.counts) == (300, ())
        assert 0 < len(found.pairs) <= 40

    @pytest.mark.parametrize(
        ("labels", "output", "word"),
        [
            (LABELS + 5, SCORES, "0 to 9"),
            (np.where(LABELS == 3, 10, np.maximum(LABELS, 1)), SCORES, "labels count from 0"),
            (LABELS.astype(float), SCORES, "one integer class a sample"),
            (np.eye(10, dtype=int)[LABELS], SCORES, "argmax"),
            (LABELS[:50], SCORES, "50 labels for 60 samples"),
            (LABELS, SCORES.reshape(60, 5, 2), "no output holds scores of classes"),
            (None, SCORES, "the evaluation data has none"),
            (
                {"boxes": np.zeros((60, 1, 4))},
                SCORES,
                "needs labels called y; the evaluation data has y_boxes",
            ),
        ],
    )
    def test_labels_that_do_not_fit(self, labels: Any, output: np.ndarray, word: str) -> None:
        with pytest.raises(ConfigError) as caught:
            value("top1", labels, output)
        assert word in str(caught.value)
        assert "'top1'" in str(caught.value)
        assert caught.value.exit_code == 2


class TestValues:
    def test_by_hand(self) -> None:
        targets, answers = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 4.0], [2.0, 4.0]])
        assert value("mse", targets, answers) == (2.0 + 0.5) / 2
        assert value("mae", targets, answers) == (1.0 + 0.5) / 2
        first, second = 9 / np.sqrt(5 * 17), 22 / np.sqrt(25 * 20)
        assert value("cosine", targets, answers) == pytest.approx((first + second) / 2)
        assert value("cosine", np.zeros((1, 2)), np.zeros((1, 2))) == 1.0
        assert value("cosine", np.zeros((1, 2)), np.ones((1, 2))) == 0.0

    def test_more_error_is_a_drop(self) -> None:
        targets = RANDOM.normal(size=(50, 1))
        before = {"out": targets + RANDOM.normal(0, 0.1, (50, 1))}
        after = {"out": before["out"] + RANDOM.normal(0, 0.3, (50, 1))}
        found = metric_facts(make("mae", targets[:, 0], before), before, after)
        facts = VariantFacts(samples=50, distinct_samples=True, data="evaluation", outputs=(), **found)
        assert not facts.metric_higher_is_better
        assert facts.metric is not None
        assert facts.reference_metric is not None
        assert facts.metric_drop == pytest.approx(facts.metric - facts.reference_metric, abs=1e-6)
        assert facts.metric_drop > 0
        assert facts.metric_drop_interval is not None
        assert 0 < facts.metric_drop_interval[0] < facts.metric_drop < facts.metric_drop_interval[1]
        errors = [sample.error for sample in facts.worst]
        assert errors
        assert VariantFacts.from_dict(facts.to_dict()) == facts

    def test_against_the_source_no_labels_are_needed(self) -> None:
        outputs = {"a": SCORES}
        metric = make("mse", None, outputs, options={"against": "source"})
        assert metric.score(outputs).value == 0.0
        assert metric.score({"a": SCORES + 1}).value == pytest.approx(1.0, rel=1e-5)

    def test_which_output(self) -> None:
        outputs = {"a": SCORES, "b": SCORES[:, :1], "c": SCORES[:, :1]}
        assert make("mse", SCORES, outputs).uses == ("a",)
        with pytest.raises(ConfigError, match="which output is compared"):
            make("mse", SCORES[:, 0], outputs)
        assert make("mse", SCORES[:, 0], outputs, outputs={"values": "c"}).uses == ("c",)
        for labels, word in ((SCORES[:, :7], "[7] a sample"), (np.full((60, 10), np.nan), "NaN")):
            with pytest.raises(ConfigError, match="do not fit the metric 'mse'") as caught:
                make("mse", labels, outputs)
            assert word in str(caught.value)


class TestMasks:
    #: Two pictures, 2 x 2; classes 0, 1, 2.
    WANT = np.array([[[0, 0], [1, 1]], [[2, 2], [0, 1]]])
    GOT = np.array([[[0, 1], [1, 1]], [[2, 0], [0, 1]]])

    def test_by_hand(self) -> None:
        # 0: shared 2, union 4; 1: 3 of 4; 2: 1 of 2
        expected = (2 / 4 + 3 / 4 + 1 / 2) / 3
        scores = np.eye(3, dtype=np.float32)[self.GOT]
        assert value("iou", self.WANT, scores) == pytest.approx(expected)
        assert value("iou", self.WANT[..., None], scores[:, None]) == pytest.approx(expected)
        assert (
            value("iou", self.WANT, np.moveaxis(np.repeat(scores, 4, 1).repeat(3, 2), 3, 1)[:, :, :2, :2]) > 0
        )
        assert value("iou", self.WANT, self.GOT) == pytest.approx(expected)
        assert value("iou", self.WANT, scores, background=0) == pytest.approx((3 / 4 + 1 / 2) / 2)

    def test_channels_first(self) -> None:
        want = RANDOM.integers(0, 3, (4, 5, 6))
        scores = np.moveaxis(np.eye(3, dtype=np.float32)[want], 3, 1)
        assert value("iou", want, scores) == 1.0

    def test_a_class_that_does_not_exist_is_wrong(self) -> None:
        metric = make("iou", self.WANT, {"out": self.GOT})
        odd = np.where(self.GOT == 2, 77, self.GOT)
        assert metric.score({"out": odd}).value == pytest.approx((2 / 4 + 3 / 4 + 0) / 3)
        assert metric.score({"out": -odd}).value < 0.5

    def test_pixels_that_do_not_count(self) -> None:
        ignored = np.where(self.WANT == self.GOT, self.WANT, -1)
        assert value("iou", ignored, np.eye(3, dtype=np.float32)[self.GOT]) == 1.0

    def test_one_plane_counts_the_foreground(self) -> None:
        want, got = self.WANT == 1, (self.GOT == 1).astype(np.float32)
        assert value("iou", want, got) == 3 / 4
        assert value("iou", want, got[..., None] * 0.4, threshold=0.3) == 3 / 4
        assert value("iou", want, (got * 8 - 4)[..., None]) == 3 / 4  # before the sigmoid
        assert value("iou", np.zeros((2, 2, 2), int) + want, got) == 3 / 4

    def test_resampling_is_measuring_the_set_that_was_drawn(self) -> None:
        want, got = RANDOM.integers(0, 3, (7, 5, 5)), RANDOM.integers(0, 3, (7, 5, 5))
        drawn = np.array([0, 0, 2, 3, 3, 3, 6])
        counts = np.bincount(drawn, minlength=7).astype(float)
        outputs = {"out": np.eye(3, dtype=np.float32)[got]}
        whole = make("iou", want, outputs).score(outputs)
        assert whole.resampled(counts[None])[0] == pytest.approx(
            value("iou", want[drawn], outputs["out"][drawn])
        )
        assert whole.per_sample is not None
        assert whole.per_sample[2] == pytest.approx(value("iou", want[2:3], outputs["out"][2:3]))

    @pytest.mark.parametrize(
        ("labels", "shape", "word"),
        [
            (np.zeros((2, 4, 4), int), (2, 8, 8, 3), "masks are 4 x 4"),
            (np.full((2, 8, 8), 5), (2, 8, 8, 3), "0 to 2"),
            (np.full((2, 8, 8), 255, np.uint8), (2, 8, 8, 3), "negative"),
            (np.full((2, 8, 8), -1), (2, 8, 8, 3), "no pixel counts"),
            (np.zeros((2, 8, 8, 3), int), (2, 8, 8, 3), "argmax"),
            (np.zeros((2, 8, 8)), (2, 8, 8, 3), "integer or bool"),
        ],
    )
    def test_masks_that_do_not_fit(self, labels: np.ndarray, shape: tuple[int, ...], word: str) -> None:
        with pytest.raises(ConfigError) as caught:
            value("iou", labels, np.zeros(shape, np.float32))
        assert word in str(caught.value)


class TestSequences:
    @pytest.mark.parametrize(
        ("one", "two", "edits"),
        [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0), ("ab", "ba", 2)],
    )
    def test_edit_distance(self, one: str, two: str, edits: int) -> None:
        assert edit_distance(one, two) == edit_distance(two, one) == edits

    def test_label_error_counts_edits_over_all_samples(self) -> None:
        labels = np.array([[1, 2, 3, 4, -1], [5, -1, -1, -1, -1]])
        given = np.array([[1, 2, 9, 4, -1, 7], [5, 5, 5, -1, -1, 7]])
        assert value("label_error", labels, given) == (1 + 2) / 5
        assert value("label_error", labels, given, end=9) == (2 + 2) / 5
        assert value("label_error", labels, given[:, None]) == 3 / 5

    def test_words_are_what_stands_between_separators(self) -> None:
        space = 6
        labels = np.array([[0, 1, space, 2, 3, space, 4]])  # ab cd e
        given = np.array([[0, 1, space, space, 2, 2, space, 4]])  # ab cc e
        assert value("word_error", labels, given, separator=space) == 1 / 3
        assert value("word_error", labels, given, names=("a", "b", "c", "d", "e", "f", " ")) == 1 / 3
        assert value("word_error", np.array([[3, 4, 5]]), np.array([[3, 5, -1]])) == 1 / 3

    def test_scores_are_decoded_greedily_and_as_ctc_where_there_is_a_blank(self) -> None:
        steps = np.array([[4, 0, 0, 4, 0, 1, 1, 4]])
        scores = np.eye(5, dtype=np.float32)[steps]
        assert value("label_error", [[0, 0, 1]], scores, blank=4) == 0.0
        assert value("label_error", [[0, 0, 1]], scores[:, None], blank=-1) == 0.0
        assert value("label_error", [[4, 0, 0, 4, 0, 1, 1, 4]], scores) == 0.0
        # A label keeps its double letters.
        assert value("label_error", [[0, 1, -1]], scores, blank=4) == 1 / 2

    def test_texts_of_the_worst_samples(self) -> None:
        names = ("a", "b", "c", " ")
        labels, given = np.array([[0, 1, 3, 2], [0, 0, 0, 0]]), np.array([[0, 1, 3, 1], [0, 0, 0, 0]])
        outputs = {"out": given}
        facts = metric_facts(make("label_error", labels, outputs, names), {"out": labels}, outputs)
        (worst,) = facts["worst"]
        assert (worst.label, worst.reference, worst.given, worst.error) == ("ab c", "ab c", "ab b", 0.25)
        assert facts["metric_higher_is_better"] is False

    @pytest.mark.parametrize(
        ("labels", "output", "word"),
        [
            (np.array([1, 2]), np.zeros((2, 4), int), "filled up with -1"),
            (np.array([[9]]), np.zeros((1, 4, 5), np.float32), "0 to 4"),
            (np.array([[-1, -1]]), np.zeros((1, 4), int), "every label is empty"),
            (np.array([[1]]), np.zeros((1, 4), np.float32), "which output holds the sequence"),
        ],
    )
    def test_sequences_that_do_not_fit(self, labels: np.ndarray, output: np.ndarray, word: str) -> None:
        with pytest.raises(ConfigError) as caught:
            value("label_error", labels, output)
        assert word in str(caught.value)


class TestChoice:
    @pytest.mark.parametrize(
        ("labels", "output", "name"),
        [
            ({"y": LABELS}, SCORES, "top1"),
            ({"y": np.zeros((60, 4, 4), int)}, np.zeros((60, 4, 4, 2), np.float32), "iou"),
            ({"y": SCORES}, SCORES, "mse"),
            ({"y": SCORES[:, 0]}, SCORES[:, :1], "mse"),
            ({"boxes": SCORES, "classes": SCORES}, SCORES, "mean_average_precision"),
        ],
    )
    def test_by_the_labels(self, labels: dict[str, np.ndarray], output: np.ndarray, name: str) -> None:
        assert fitting_metric(labels, {"out": output}, ()) == name

    def test_labels_that_fit_nothing_are_named_when_a_metric_was_asked_for(self) -> None:
        reference = {"map": np.zeros((60, 4, 4, 2), np.float32)}
        with pytest.raises(ConfigError, match="fit no output") as caught:
            make_metric({"name": None}, labels={"y": LABELS}, reference=reference, class_names=())
        assert "y int64[]" in str(caught.value)
        assert make_metric(None, labels={"y": LABELS}, reference=reference, class_names=()) is None
        assert make_metric({}, labels=None, reference=reference, class_names=()) is None

    @pytest.mark.parametrize(
        ("spec", "word"),
        [
            ({"name": "acuracy"}, "no metric 'acuracy'"),
            ({"name": "meanaverage_precision"}, "did you mean 'mean_average_precision'"),
            ({"name": "top0"}, "no metric"),
            ({"name": "top1", "options": {"k": 3}}, "no option 'k'"),
            ({"name": "topk", "options": {"k": 0}}, "1 or more"),
            ({"name": "top1", "outputs": {"scores": "scored"}}, "no output 'scored'"),
            ({"name": "top1", "outputs": {"score": "out"}}, "did you mean 'scores'"),
            ({"name": "top1", "option": {}}, "no key 'option'"),
            ({"name": "mse", "options": {"against": "me"}}, "labels, source"),
        ],
    )
    def test_bad_settings_are_named(self, spec: dict[str, Any], word: str) -> None:
        with pytest.raises(ConfigError) as caught:
            make_metric(spec, labels={"y": LABELS}, reference={"out": SCORES}, class_names=())
        assert word in str(caught.value)

    def test_answers_that_are_not_finite_have_no_metric(self) -> None:
        broken = SCORES.copy()
        broken[3, 3] = np.nan
        metric = make("top1", LABELS, {"out": SCORES})
        assert metric_facts(metric, {"out": SCORES}, {"out": broken}) == {"worst": ()}
        assert metric_facts(metric, {"out": SCORES}, {"out": SCORES[:, :4]}) == {"worst": ()}

    def test_without_labels_the_worst_are_furthest_from_the_source(self) -> None:
        given = SCORES.copy()
        given[5] += 3.0
        given[7] = np.roll(given[7], 1)
        worst = metric_facts(None, {"out": SCORES}, {"out": given})["worst"]
        assert [sample.index for sample in worst] == [7, 5]
        assert worst[0].reference == LABELS[7] != worst[0].given

    def test_the_key_of_a_cached_step_follows_the_metric_and_the_users_file(self, own_folder: Any) -> None:
        assert metric_key({"name": "top1"}) == metric_key({"name": "top1"}) != metric_key({"name": "top5"})
        assert metric_key(None) is None
        (own_folder / "mine.py").write_text("def good(o, y): return 1.0\n")
        before = metric_key({"name": "mine:good"})
        assert before == metric_key({"name": "mine:good"})
        (own_folder / "mine.py").write_text("def good(o, y): return 2.0\n")
        assert metric_key({"name": "mine:good"}) != before
        assert metric_key({"name": "json:dumps"}) != metric_key({"name": "json:dumps"})
