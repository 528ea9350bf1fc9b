"""Values that every room shares: records, configuration, schema, events, protocols, errors."""
