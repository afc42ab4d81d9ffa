"""Which markers a person gets, from which readings and events: pure, for stream and files alike.

`diary` and `half_hours` keep what markers are made of, `life` what events told; `nights`,
`wakings`, `weeks`, `sleeps`, `cycles`, `axes` and `slow` choose the readings of one night, day,
cycle or pair and ask `processors.rhythm` for its markers; `book` knows which of them a new reading
or event may have changed.
"""
