"""What other apps can count or do: the first four are sent inside the transaction of the change, once it was made.

`video_created`: video. `video_moved`: video, old, new, code.
`job_moved`: job, old, new, code. `circuit_moved`: circuit, old, new, kind.
`ticked`: sent every second by the scheduler that leads, outside of any transaction. What a receiver raises is logged.
`beaten`: sent by each worker and scheduler with its sign of life, outside of any transaction.
"""

from django.dispatch import Signal

video_created = Signal()
video_moved = Signal()
job_moved = Signal()
circuit_moved = Signal()
ticked = Signal()
beaten = Signal()
