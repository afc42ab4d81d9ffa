"""What is seen: the live page over the store, and what Grafana is given."""
