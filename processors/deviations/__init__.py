"""What departs from what, and how it is said.

Reading order: `sustained` (level, amplitude and phase against the person's baseline),
`calibration` (scores measured on the person), `budget` (how rare a false alert has to be),
`transitions` (when a deviation opens and ends), `wording` (the sentence).
"""
