-- Question: none; fills data_dictionary.
-- Contract: one list a column, all of one length, one entry a column of a view.
INSERT INTO data_dictionary
SELECT
    unnest($view_name), unnest($column_name), unnest($column_type), unnest($unit), unnest($meaning);
