"""What is to be trained, as checked values: methods, schedules, epochs.

plan = TrainingPlan(methods=("prune", "qat"), prune=Pruning(final_sparsity=0.8))
plan.stages     ("prune", "qat"): quantization-aware training that keeps the zeros
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field

from edge_sdk.contract.document import Document
from edge_sdk.errors import ConfigError

#: In the order in which they are done, whatever the order they are named in: each keeps what came before.
METHODS = ("prune", "cluster", "qat")
#: "auto" looks at the labels; "teacher" needs none.
LOSSES = ("auto", "crossentropy", "mse", "teacher")
#: A schedule that is not given in steps makes about so many updates.
_UPDATES = 16
#: Without an end, pruning ends after this share of the steps; the rest lets the model recover.
_PRUNING_SHARE = 0.67
#: Pruning more often than this costs time and gains nothing.
_FREQUENCY = 100
_MAX_CLUSTERS = 256


@dataclass(frozen=True, kw_only=True)
class Pruning(Document):
    """Polynomial decay: sparsity rises from initial to final between two steps.

    At step s it is `final + (initial - final) * (1 - (s - begin) / (end - begin)) ** power`. A step is one
    batch.

    Attributes:
        initial_sparsity: Share of zeros at `begin_step`, 0 to below 1.
        final_sparsity: Share of zeros from `end_step` on.
        begin_step: First step that prunes.
        end_step: Last step that prunes; None for two thirds of all steps.
        frequency: Steps between two updates; None for about 16 updates, at most every 100 steps.
        power: Exponent.
    """

    initial_sparsity: float = 0.5
    final_sparsity: float = 0.8
    begin_step: int = 0
    end_step: int | None = None
    frequency: int | None = None
    power: float = 3.0

    def __post_init__(self) -> None:
        for name in ("initial_sparsity", "final_sparsity"):
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise ConfigError(
                    f"{name} is {value}",
                    why="it is a share of zeros: 0 or more, and below 1",
                    hint="0.8 keeps one weight in five" if value >= 1 else None,
                )
        if self.initial_sparsity > self.final_sparsity:
            raise ConfigError(
                f"initial sparsity {self.initial_sparsity} is above final sparsity {self.final_sparsity}",
                why="pruned weights do not come back",
            )
        if self.final_sparsity == 0:
            raise ConfigError("final_sparsity is 0", why="nothing would be pruned")
        if self.begin_step < 0 or (self.end_step is not None and self.end_step <= self.begin_step):
            raise ConfigError(
                f"pruning from step {self.begin_step} to step {self.end_step} is no span",
                why="0 <= begin_step < end_step",
            )
        if self.frequency is not None and self.frequency < 1:
            raise ConfigError(f"frequency is {self.frequency}", why="it is a number of steps, 1 or more")
        if self.power <= 0:
            raise ConfigError(f"power is {self.power}", why="it must be above 0")

    def resolved(self, total_steps: int) -> Pruning:
        """Return the schedule with every number set.

        An update happens only at `begin + k * frequency`, so the end is moved back to such a step: else the
        final sparsity would never be reached.

        Args:
            total_steps: Batches of the whole training.

        Raises:
            ConfigError: The schedule does not fit into so many steps.
        """
        end = self.end_step
        if end is None:
            end = max(self.begin_step + 1, round(total_steps * _PRUNING_SHARE))
        # Steps count from 0, and the last one must still see the final mask.
        if end > total_steps - 1:
            raise ConfigError(
                f"pruning ends at step {end}, and the training has {total_steps} steps",
                why="the final sparsity would not be reached",
                hint="more --epochs, a smaller --batch-size, or an earlier --end-step",
            )
        span = end - self.begin_step
        frequency = self.frequency
        if frequency is None:
            frequency = max(1, min(_FREQUENCY, span // _UPDATES))
        if frequency > span:
            raise ConfigError(
                f"frequency {frequency} is longer than pruning lasts ({span} steps)",
                why="the final sparsity would not be reached",
                hint="leave --frequency out, or give a smaller one",
            )
        return Pruning(
            initial_sparsity=self.initial_sparsity,
            final_sparsity=self.final_sparsity,
            begin_step=self.begin_step,
            end_step=self.begin_step + span // frequency * frequency,
            frequency=frequency,
            power=self.power,
        )


@dataclass(frozen=True, kw_only=True)
class Clustering(Document):
    """Weights of a layer share few values.

    Attributes:
        clusters: Distinct values a layer's kernel may have, 2 to 256.
    """

    clusters: int = 16

    def __post_init__(self) -> None:
        if not 2 <= self.clusters <= _MAX_CLUSTERS:
            raise ConfigError(f"clusters is {self.clusters}", why=f"allowed: 2 to {_MAX_CLUSTERS}")


@dataclass(frozen=True, kw_only=True)
class TrainingPlan(Document):
    """The whole training.

    Attributes:
        methods: Any of `METHODS`.
        prune: Schedule of "prune".
        cluster: Of "cluster".
        epochs: Of each stage.
        batch_size: Samples of one step.
        learning_rate: Of Adam in each stage; None for 0.001 (prune) and 0.0001 (cluster, qat).
        loss: One of `LOSSES`.
        skip: Names of layers that are left as they are.
        seed: Of the shuffling.
    """

    methods: tuple[str, ...]
    prune: Pruning = field(default_factory=Pruning)
    cluster: Clustering = field(default_factory=Clustering)
    epochs: int = 4
    batch_size: int = 64
    learning_rate: float | None = None
    loss: str = "auto"
    skip: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.methods:
            raise ConfigError("no method is named", hint="--method " + ", --method ".join(METHODS))
        for method in self.methods:
            _one_of("method", method, METHODS)
        _one_of("loss", self.loss, LOSSES)
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}", why="it must be 1 or more")
        if self.learning_rate is not None and not 0 < self.learning_rate < 1:
            raise ConfigError(f"learning_rate is {self.learning_rate}", why="allowed: above 0 and below 1")

    @property
    def stages(self) -> tuple[str, ...]:
        """The methods in the order in which they are done."""
        return tuple(method for method in METHODS if method in self.methods)

    def rate(self, stage: str) -> float:
        """Return the learning rate of a stage."""
        if self.learning_rate is not None:
            return self.learning_rate
        return 1e-3 if stage == "prune" else 1e-4

    def steps(self, samples: int) -> int:
        """Return the batches of one stage."""
        return -(-samples // self.batch_size) * self.epochs


def _one_of(name: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        near = difflib.get_close_matches(value, choices, n=1, cutoff=0.4)
        raise ConfigError(
            f"no {name} called {value!r}",
            why="allowed: " + ", ".join(choices),
            hint=f"did you mean {near[0]!r}?" if near else None,
        )
