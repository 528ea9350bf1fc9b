-- Question: which statements of the user's were run?
-- Contract: (done), the kind of each in order.
SELECT unnest(getvariable('statements')) AS done
