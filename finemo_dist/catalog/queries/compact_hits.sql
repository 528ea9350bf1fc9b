-- Question: which hits lie in current compacted files?
-- Contract: the columns of hits, then is_unique and is_primary. No order.
CREATE VIEW compact_hits AS FROM called_hits('compact_rows');
