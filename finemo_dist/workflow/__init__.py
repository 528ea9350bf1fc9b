"""The actions of the product: extract, call, run, report, export and more. Prints nothing."""
