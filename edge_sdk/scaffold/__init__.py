"""Projects for phones: rendered from a bundle, merged with what users edit, and checked."""
