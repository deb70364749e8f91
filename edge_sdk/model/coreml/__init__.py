"""Core ML packages as they lie on disk: the program, its weights, what goes in and out."""
