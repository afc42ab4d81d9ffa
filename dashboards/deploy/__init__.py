"""Dashboards and annotations brought to a running Grafana, through its HTTP API and by uid only.

``client`` is the edge: requests, patience, and every foreign error as one of ours. ``plan`` decides
without any I/O what is to be done, ``apply`` reads what there is and does it. ``notes`` turns
records into annotations without any I/O, ``annotate`` writes them as they come.
"""
