"""Grafana: dashboards, alert rules and provisioning as code.

Reading order: ``palette`` and ``identity`` (colours, fixed UIDs), ``datasource`` and ``variables``
(what a query is asked of), ``flux`` and ``queries`` (every Flux query), ``signs`` and ``panels``
(how a panel is made), ``cohort``, ``subject``, ``alerts``, ``pipeline`` (the four dashboards),
``rules`` and ``provisioning`` (what Grafana reads at its start), ``generate`` (all of it as text).
``python -m dashboards.grafana`` writes that text; nothing else here touches a file, and nothing at
run time imports any of it.
"""
