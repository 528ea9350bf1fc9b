-- Question: which chromosomes does the table flagged hold?
-- Contract: (chr, chr_id, hits), in output order.
SELECT chr, chr_id, count(*) FROM flagged GROUP BY chr, chr_id ORDER BY chr_id, chr;
