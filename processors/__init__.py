"""What readings mean: from raw records to rhythms, deviations and alerts in the store."""
