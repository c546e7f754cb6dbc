"""What other apps can count or do: the first five are sent inside the transaction of the change, once it was made.

`video_created`: video. `video_moved`: video, old, new, code, event. `video_noted`: video, code, event.
`job_moved`: job, old, new, code. `circuit_moved`: circuit, old, new, kind, event.
`ticked`: sent every second by the scheduler that leads, outside of any transaction. What a receiver raises is logged.
`demo_loaded`: sent when the demo's history was written.
`beaten`: sent by each worker and scheduler with its sign of life, outside of any transaction.
"""

from django.dispatch import Signal

video_created = Signal()
video_moved = Signal()
video_noted = Signal()
job_moved = Signal()
circuit_moved = Signal()
ticked = Signal()
beaten = Signal()
demo_loaded = Signal()
