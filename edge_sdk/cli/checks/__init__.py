"""What `edge check` can check, one file each."""
