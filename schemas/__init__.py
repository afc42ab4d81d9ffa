"""What travels and what is stored; imports nothing of ours.

Reading order, following one reading through the project:

1. ``schemas.readings`` (and ``schemas.events``): what a device sends;
2. ``schemas.catalogue``: what its code and unit mean;
3. ``schemas.topics``: where it travels;
4. ``producers.client``: how it is sent;
5. ``processors.frames``: how it reaches a worker;
6. ``processors.engine``: what is made of it, by ``processors.rhythm`` (the estimator) and
   ``processors.deviations`` (what counts as a departure);
7. ``schemas.dead_letters`` and ``schemas.errors``: what becomes of one that cannot be used;
8. ``processors.checkpoint`` and ``processors.recovery``: how nothing is lost or counted twice;
9. ``schemas.results`` and ``schemas.measurements``: what comes out, and ``processors.store``:
   where it is kept;
10. ``dashboards.page``: how it is seen;
11. ``acrophase``: the front door that starts all of it.
"""
