"""The rules by which leads are judged, as marketers write them: fields, segments, stages, scoring, hand-off.

The only reader of ``content/_fields.yml``, ``_segments.yml``, ``_stages.yml``, ``_scoring.yml`` and ``_handoff.yml``.
All of it is plain values and pure functions on a ``Person``; what the database has to do with it is in ``leads``.
"""
