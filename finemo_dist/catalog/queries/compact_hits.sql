-- Question: which hits lie in current compacted files, by sample or by place?
-- Contract: the columns of hits, then is_unique and is_primary. No order.
CREATE VIEW compact_hits AS
FROM called_hits('compact_rows')
UNION ALL
FROM called_hits('placed_rows');
