-- Where the records that are not kept stood: their files hold them all the same.
SELECT source_file, source_page, identity AS record_id FROM export_ranks
EXCEPT
SELECT source_file, source_page, record_id FROM export_copies
