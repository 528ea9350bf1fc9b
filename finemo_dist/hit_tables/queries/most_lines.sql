-- Question: how many lines has a site at most?
-- Contract: one number, or null where no site is repeated: a bound, as if all tables had every site.
SELECT max(n_lines) FROM (SELECT product(n_hits) AS n_lines FROM repeated GROUP BY site);
