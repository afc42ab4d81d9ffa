"""Pictures of the Grafana dashboards without Grafana, which runs on no machine of the project's.

The dashboard's own JSON is read: its queries are asked of a filled InfluxDB, and each panel is
drawn with matplotlib where and about how Grafana would. What a picture shows is therefore the
queries' answers and the panels' settings; how exactly Grafana sets its type it cannot show.
"""
