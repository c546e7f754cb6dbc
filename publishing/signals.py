"""What other apps can count: each is sent inside the transaction of the change, and only when it was made.

`video_created`: video. `video_moved`: video, old, new, code.
`job_moved`: job, old, new, code. `circuit_moved`: circuit, old, new, kind.
"""

from django.dispatch import Signal

video_created = Signal()
video_moved = Signal()
job_moved = Signal()
circuit_moved = Signal()
