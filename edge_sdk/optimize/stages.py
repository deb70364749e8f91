"""Puts the wrappers of TensorFlow Model Optimization around a tf_keras model, and takes them off again.

Each stage keeps what the ones before have reached: clustering keeps zeros (sparsity-preserving), and
quantization-aware training keeps zeros and clusters (PQAT, CQAT, PCQAT).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_sdk.errors import ConfigError, ModelError
from edge_sdk.optimize.plan import Clustering, Pruning, TrainingPlan

#: Layers whose kernels are pruned and clustered: where nearly all weights are. Depthwise kernels are few and
#: lose too much.
_KERNELS = {
    "Conv1D": "kernel",
    "Conv2D": "kernel",
    "Conv2DTranspose": "kernel",
    "Dense": "kernel",
    "Embedding": "embeddings",
}
#: Activations that the 8-bit scheme knows.
_ACTIVATIONS = ("relu", "relu6", "swish", "linear", "softmax", "sigmoid", "tanh")


@dataclass(frozen=True)
class Wrapped:
    """A model that is ready to be trained in one stage.

    Attributes:
        model: With wrappers, not compiled.
        trained: Names of the layers that the stage acts on.
        left: Names of layers with weights or activations that it leaves as they are.
        callbacks: That the training needs.
    """

    model: Any
    trained: tuple[str, ...]
    left: tuple[str, ...]
    callbacks: tuple[Any, ...] = ()


def kernel_of(layer: Any) -> str | None:
    """Return the name of the weight that pruning and clustering act on, or None."""
    return _KERNELS.get(type(layer).__name__)


def wrap(stage: str, model: Any, plan: TrainingPlan, *, steps: int) -> Wrapped:
    """Wrap a model for one stage.

    Args:
        stage: "prune", "cluster" or "qat".
        model: Plain tf_keras model.
        plan: The whole plan; what came before this stage is kept.
        steps: Batches of this stage.

    Raises:
        ModelError: There is nothing that the stage could act on, or a layer it cannot take; it is named.
        ConfigError: A layer to skip does not exist, or the schedule does not fit.
    """
    names = [layer.name for layer in model.layers]
    strangers = [name for name in plan.skip if name not in names]
    if strangers:
        raise ConfigError(f"no layer called {strangers[0]!r} to skip", why="layers: " + ", ".join(names[:40]))
    if stage == "prune":
        return _prune(model, plan, plan.prune.resolved(steps))
    if stage == "cluster":
        return _cluster(model, plan, plan.cluster, keep_zeros="prune" in plan.stages)
    return _quantize(model, plan)


def strip(stage: str, wrapped: Any, plain: Any) -> Any:
    """Return a plain model with the weights of a trained one.

    Args:
        stage: What the model was wrapped for: "prune" or "cluster". The wrappers of "qat" hold the trained
            ranges and stay.
        wrapped: The trained model.
        plain: The model that was wrapped; a copy of it gets the weights.
    """
    import tf_keras

    result = tf_keras.models.clone_model(plain)
    found = {unwrapped(layer).name: layer for layer in wrapped.layers}
    for layer in result.layers:
        if not layer.weights:
            continue
        trained = found[layer.name]
        inner = unwrapped(trained)
        if inner is trained:
            layer.set_weights(trained.get_weights())
            continue
        if stage == "cluster":
            # The kernel in use is looked up among the centroids; the layer's own variable is the old one.
            trained.update_clustered_weights_associations()
        layer.set_weights([_value(inner, weight) for weight in layer.weights])
    return result


def unwrapped(layer: Any) -> Any:
    """Return the layer inside a wrapper of TensorFlow Model Optimization, or the layer itself."""
    # Bidirectional and TimeDistributed have a `layer`, too, and are no wrappers in this sense.
    ours = type(layer).__module__.startswith("tensorflow_model_optimization.")
    return getattr(layer, "layer", layer) if ours else layer


def measured_sparsity(model: Any, trained: Sequence[str]) -> float:
    """Return the share of zeros in the kernels of these layers."""
    kernels = _kernels(model, trained)
    total = sum(kernel.size for kernel in kernels)
    return float(sum(int((kernel == 0).sum()) for kernel in kernels) / total) if total else 0.0


def most_clusters(model: Any, trained: Sequence[str]) -> int:
    """Return the largest number of distinct values that a kernel of these layers has."""
    return max((int(np.unique(kernel).size) for kernel in _kernels(model, trained)), default=0)


def _kernels(model: Any, names: Sequence[str]) -> list[Any]:
    layers = [model.get_layer(name) for name in names]
    return [np.asarray(getattr(layer, kernel)) for layer in layers if (kernel := kernel_of(layer))]


def _value(inner: Any, weight: Any) -> Any:
    """Return the trained value of a weight: by its name, because wrappers change the order of weights."""
    short = weight.name.rpartition("/")[2].partition(":")[0]
    return np.asarray(getattr(inner, short))


def _prune(model: Any, plan: TrainingPlan, schedule: Pruning) -> Wrapped:
    import tensorflow_model_optimization as tfmot
    import tf_keras

    chosen = _with_kernels(model, plan, "prune")
    decay = tfmot.sparsity.keras.PolynomialDecay(
        initial_sparsity=schedule.initial_sparsity,
        final_sparsity=schedule.final_sparsity,
        begin_step=schedule.begin_step,
        end_step=schedule.end_step,
        power=schedule.power,
        frequency=schedule.frequency,
    )

    def change(layer: Any) -> Any:
        if layer.name not in chosen:
            return layer.__class__.from_config(layer.get_config())
        return tfmot.sparsity.keras.prune_low_magnitude(
            layer.__class__.from_config(layer.get_config()), pruning_schedule=decay
        )

    wrapped = tf_keras.models.clone_model(model, clone_function=change)
    _give_weights(wrapped, model)
    return Wrapped(wrapped, chosen, _left(model, chosen), (tfmot.sparsity.keras.UpdatePruningStep(),))


def _cluster(model: Any, plan: TrainingPlan, clustering: Clustering, *, keep_zeros: bool) -> Wrapped:
    import tensorflow_model_optimization as tfmot
    import tf_keras
    from tensorflow_model_optimization.python.core.clustering.keras.experimental import cluster

    chosen = tuple(
        name
        for name in _with_kernels(model, plan, "cluster")
        if np.unique(_kernels(model, [name])[0]).size > clustering.clusters
    )
    if not chosen:
        raise ModelError(
            f"no kernel has more than {clustering.clusters} values", why="there is nothing to cluster"
        )
    initial = tfmot.clustering.keras.CentroidInitialization.KMEANS_PLUS_PLUS

    def change(layer: Any) -> Any:
        if layer.name not in chosen:
            return layer
        return cluster.cluster_weights(
            layer,
            number_of_clusters=clustering.clusters,
            cluster_centroids_init=initial,
            preserve_sparsity=keep_zeros,
        )

    # The centroids are found from the layer's own weights, so the wrapper takes a layer that has them.
    copy = tf_keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    wrapped = tf_keras.models.clone_model(copy, clone_function=change)
    return Wrapped(wrapped, chosen, _left(model, chosen))


def _with_kernels(model: Any, plan: TrainingPlan, stage: str) -> tuple[str, ...]:
    chosen = tuple(
        layer.name
        for layer in model.layers
        if kernel_of(layer) and layer.name not in plan.skip and layer.trainable
    )
    if not chosen:
        raise ModelError(
            f"there is nothing to {stage} in this model",
            why="only kernels of " + ", ".join(_KERNELS) + " that are trainable are taken",
        )
    return chosen


def _left(model: Any, chosen: Sequence[str]) -> tuple[str, ...]:
    return tuple(layer.name for layer in model.layers if layer.weights and layer.name not in chosen)


def _give_weights(wrapped: Any, model: Any) -> None:
    for layer in wrapped.layers:
        inner = unwrapped(layer)
        source = model.get_layer(inner.name)
        for weight, value in zip(inner.weights, source.get_weights(), strict=False):
            weight.assign(value)


def _quantize(model: Any, plan: TrainingPlan) -> Wrapped:
    import tensorflow_model_optimization as tfmot
    import tf_keras

    scheme, registry = _scheme(plan)
    chosen = tuple(
        layer.name
        for layer in model.layers
        if layer.name not in plan.skip and _can_quantize(layer, registry, tf_keras)
    )
    if not chosen:
        raise ModelError(
            "no layer of this model can be trained for 8 bits", why="the 8-bit scheme knows none of them"
        )

    def change(layer: Any) -> Any:
        return tfmot.quantization.keras.quantize_annotate_layer(layer) if layer.name in chosen else layer

    copy = tf_keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    annotated = tf_keras.models.clone_model(copy, clone_function=change)
    try:
        wrapped = tfmot.quantization.keras.quantize_apply(annotated, scheme)
    except (ValueError, RuntimeError, AttributeError, TypeError) as failure:
        raise ModelError(
            "quantization-aware training cannot take this model",
            why=str(failure).strip()[:600],
            hint="leave the layer that is named out with --skip LAYER",
        ) from failure
    left = tuple(
        layer.name
        for layer in model.layers
        if layer.name not in chosen and type(layer).__name__ != "InputLayer"
    )
    return Wrapped(wrapped, chosen, left)


def _scheme(plan: TrainingPlan) -> tuple[Any, Any]:
    from tensorflow_model_optimization.python.core.quantization.keras.collab_opts.cluster_preserve import (
        default_8bit_cluster_preserve_quantize_scheme as clustered,
    )
    from tensorflow_model_optimization.python.core.quantization.keras.collab_opts.prune_preserve import (
        default_8bit_prune_preserve_quantize_scheme as pruned,
    )
    from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (
        default_8bit_quantize_registry,
        default_8bit_quantize_scheme,
    )

    registry = default_8bit_quantize_registry.Default8BitQuantizeRegistry()
    if "cluster" in plan.stages:
        keep_zeros = "prune" in plan.stages
        return clustered.Default8BitClusterPreserveQuantizeScheme(preserve_sparsity=keep_zeros), registry
    if "prune" in plan.stages:
        return pruned.Default8BitPrunePreserveQuantizeScheme(), registry
    return default_8bit_quantize_scheme.Default8BitQuantizeScheme(), registry


def _can_quantize(layer: Any, registry: Any, keras: Any) -> bool:
    if isinstance(layer, keras.layers.InputLayer):
        return False
    if isinstance(layer, keras.layers.BatchNormalization):
        return _follows_convolution(layer, keras)
    activation = getattr(layer, "activation", None)
    if activation is not None and getattr(activation, "__name__", "") not in _ACTIVATIONS:
        return False
    return bool(registry.supports(layer))


def _follows_convolution(layer: Any, keras: Any) -> bool:
    before = layer.inbound_nodes[0].inbound_layers if layer.inbound_nodes else None
    kinds = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.Dense)
    return isinstance(before, kinds)
