-- Question: none; fills score_quantiles.
-- Contract: one list a column, all of one length, one entry a sample and bin.
INSERT INTO score_quantiles SELECT unnest($sample), unnest($bin), unnest($quantile);
