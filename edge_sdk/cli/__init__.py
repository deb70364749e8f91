"""The `edge` command: main.py and one file a verb."""
