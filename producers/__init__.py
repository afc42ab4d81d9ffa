"""What enters Kafka: the publisher, the file readers and the simulator."""
