"""From a model to a bundle: each step cached under the hash of its inputs. The door is build.py."""
