"""The live page: who needs looking at, the 24-hour chart, the rhythm's drift, the evidence.

Reading order: ``source`` (what is read from the store), ``triage`` (who comes first), ``words``
(how numbers and times are said), ``limits``, ``charts``, ``drift`` and ``days`` (what is drawn),
``markup``, ``captions`` and ``panels`` (queue rows, what stands around the charts, and the
evidence, as HTML), ``feed`` (one poller for all visitors), ``site`` (the page itself) and ``serve``
(the server). From ``triage`` to ``panels`` all is pure.
"""
