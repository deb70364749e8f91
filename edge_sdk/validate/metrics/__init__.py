"""How good a variant is, as numbers: against the source model (`outputs`) and against labels (the rest).

metric.py says what every metric is, table.py which there are, intervals.py how sure a number is,
evaluation.py puts those of a variant together.
"""

from edge_sdk.validate.metrics.evaluation import confusion, metric_facts
from edge_sdk.validate.metrics.intervals import interval, paired_intervals, paired_shares, wilson
from edge_sdk.validate.metrics.metric import PADDING, WHOLE, Metric, Request, Score
from edge_sdk.validate.metrics.outputs import (
    SNR_CEILING_DB,
    best_class,
    compare_output,
    correlation,
    is_class_like,
    is_constant,
    metric_output,
    rounded,
    snr_db,
)
from edge_sdk.validate.metrics.table import (
    METRICS,
    check_name,
    fitting_metric,
    make_metric,
    metric_key,
    read_labels,
)

__all__ = [
    "METRICS",
    "PADDING",
    "SNR_CEILING_DB",
    "WHOLE",
    "Metric",
    "Request",
    "Score",
    "best_class",
    "check_name",
    "compare_output",
    "confusion",
    "correlation",
    "fitting_metric",
    "interval",
    "is_class_like",
    "is_constant",
    "make_metric",
    "metric_facts",
    "metric_key",
    "metric_output",
    "paired_intervals",
    "paired_shares",
    "read_labels",
    "rounded",
    "snr_db",
    "wilson",
]
