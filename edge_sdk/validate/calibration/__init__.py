"""The calibration doctor: can these samples calibrate this model?

    report.py       what is found, as documents: Finding, CalibrationReport
    evidence.py     what the checks look at
    statistics.py   numbers of the samples themselves
    activations.py  what the float model makes of them, layer by layer
    probing.py      what the float model answers to them, and to the same samples on another scale
    samples.py      checks that need the samples alone
    comparison.py   checks against evaluation data
    behaviour.py    checks against the model, where there is no evaluation data
    trial.py        the proof: int8 made with these samples beside int8 made with evaluation data
    examine.py      the worker function that does it all

docs/reference/calibration.md lists every code with its rule and its limits.
"""
