-- view: report_reasons
-- grain: one row per workload, label and reason that spoke for or against batching
SELECT workload_id, label, code, criterion, weight, evidence, calls
FROM reasons
