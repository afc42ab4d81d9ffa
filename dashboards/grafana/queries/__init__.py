"""Every Flux query, a function each, by the dashboard that asks it. Pure text.

Of a marker only the status tells whether its value is of now: a withheld row may keep the number of
an earlier estimate. Likewise the phase of a rhythm that has none any more.
"""
