"""Which markers a person gets, from which readings and events: pure, for stream and files alike.

`diary`, `half_hours` and `life` keep what markers are made of, on a person's `shelf`. `nights`,
`wakings`, `weeks`, `sleeps`, `cycles`, `axes` and `slow` take the readings of one night, day, week,
cycle or pair and ask `processors.rhythm` for its markers; files use them directly. `due` knows
which of them a new reading or event may change, and `book` is what the engine holds of a person.
"""
