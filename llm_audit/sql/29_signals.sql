-- table: signals
-- grain: one row per case: what is alike in its calls, then the signals of its workload
--
-- The one relation that rules are written against; `llm_audit.policy.SIGNALS` names them. An
-- owner's tolerance in llm-audit.toml takes the place of what the calls declare.
SELECT
  cases.case_no,
  cases.calls AS case_calls,
  cases.is_streaming,
  cases.has_tool_result,
  cases.continues_response,
  cases.continues_prompt,
  cases.service_tier,
  coalesce(overrides.tolerance_s, cases.declared_tolerance_s) AS declared_tolerance_s,
  cases.run_calls,
  cases.in_pool_run,
  cases.is_short_input,
  overrides.label AS override_label,
  workloads.*
FROM case_facts AS cases
INNER JOIN workloads ON cases.workload_no = workloads.workload_no
LEFT JOIN workload_overrides AS overrides
  ON cases.workload_no = overrides.workload_no AND overrides.place = 1
