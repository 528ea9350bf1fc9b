"""What the product does: extract, call, run a configuration, report, export. Prints nothing."""
