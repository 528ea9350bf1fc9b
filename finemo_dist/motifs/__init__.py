"""From motif files to a ``MotifSet``: trims, reverse complements, penalties, names."""
