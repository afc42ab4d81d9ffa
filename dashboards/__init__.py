"""What is seen: the live page over the store."""
