"""Training-time optimization: pruning, clustering and quantization-aware training.

`plan` says what is to be done, `rebuild` makes the model that can be trained, `stages` and `training` do it,
`moving` brings the result into a file that `edge build` takes, `thinning` predicts what it will give.
Everything that computes runs in a worker process (`edge_sdk.pipeline.training`).
"""
