-- Question: at what sites has a table several hits?
-- Contract: makes the empty table repeated: input, the number of a table; site, a hash of what makes a
-- site; and its hits. Two sites may have one hash: then more is looked at than need be.
CREATE OR REPLACE TEMP TABLE repeated (input INTEGER, site UBIGINT, n_hits BIGINT);
