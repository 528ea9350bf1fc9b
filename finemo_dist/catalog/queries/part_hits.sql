-- Question: which hits lie in parts that no current compaction replaces?
-- Contract: the columns of hits. No order.
CREATE VIEW part_hits AS FROM called_hits('part_rows');
