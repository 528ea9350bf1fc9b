"""A run: what is left to do, who does it, and how it went."""
