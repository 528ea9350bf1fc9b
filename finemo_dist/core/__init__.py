"""Records, protocols, schema, configuration, errors: what every layer shares."""
