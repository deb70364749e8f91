"""Core ML packages from source models; `convert` runs in a worker process.

    run_in_worker("edge_sdk.convert.coreml:convert", {...}, timeout_seconds=900, log=...)

`edge_sdk.convert.coreml.conversion` says what goes in and what comes out.
"""

from edge_sdk.convert.coreml.conversion import convert as convert
