-- Question: which columns do the tables have, and what do they mean?
-- Contract: (view_name, column_name, column_type, meaning with its unit), in the order of columns.
SELECT
    view_name,
    column_name,
    column_type,
    meaning || coalesce(' [' || unit || ']', '')
FROM data_dictionary
ORDER BY view_name, rowid;
