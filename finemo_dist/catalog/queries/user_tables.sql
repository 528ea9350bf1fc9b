-- Question: which tables are there to be asked?
-- Contract: (name), those that data_dictionary describes, and itself; by name.
SELECT name
FROM (SELECT view_name AS name FROM data_dictionary UNION SELECT 'data_dictionary')
ORDER BY name
