"""Tables of hits given as files: one parser, and collapse and intersection in SQL."""
