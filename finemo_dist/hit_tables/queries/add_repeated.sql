-- Question: at what sites has the table made several hits?
-- Contract: adds them to the table repeated, as those of $input.
INSERT INTO repeated
SELECT $input, site, count(*) FROM made GROUP BY site HAVING count(*) > 1;
