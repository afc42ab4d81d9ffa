"""The rhythm estimator: pure mathematics over data and event time.

Reading order: `layout` (what one series' row holds), `moments` (harmonics and their products),
`sums` (fold a reading in, forget), `posterior` (what the sums say), `curve` (peaks, troughs and
their intervals), `estimator` (the same for one whole recording), `cosinor` (ordinary least
squares, for comparison and for papers).
"""
