"""The calibration doctor: can these samples calibrate this model?

    report.py       what is found, as documents: Finding, CalibrationReport
    evidence.py     what the checks look at
    statistics.py   numbers of the samples themselves
    model.py        runs the float model, with every activation in reach
    samples.py      checks that need the samples alone
    scale.py        checks of the scale against the contract and evaluation data
    layers.py       the calibrated ranges against evaluation data, layer by layer
    probing.py      the model's answers as numbers
    behaviour.py    checks by these answers, to the samples as they are and on other scales
    verdicts.py     the rules for that
    trial.py        the proof: int8 made with these samples beside int8 made with evaluation data
    examine.py      the worker function that does it all

docs/reference/calibration.md lists every code with its rule and its limits.
"""
