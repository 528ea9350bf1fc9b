-- Question: at what sites has the view sites several hits?
-- Contract: adds them to the table repeated, as those of $input.
INSERT INTO repeated
SELECT $input, site, count(*) FROM sites GROUP BY site HAVING count(*) > 1;
