"""The command line: options once, thin commands. Nothing heavy is imported for ``--help``."""
