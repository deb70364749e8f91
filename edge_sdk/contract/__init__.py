"""What a model promises: tensors, preprocessing, postprocessing, golden vectors.

`document` and `spec` are standard library only (the keeper reads manifests before
NumPy is there); `preprocess`, `postprocess` and `golden` compute with NumPy.
"""
