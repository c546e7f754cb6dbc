"""The signal that a worker is asked to stop, as an exception in the running task."""


class Stopping(BaseException):
    """Raised in the work-horse by SIGTERM: persist, release, leave. Not an Exception, so no handler eats it."""
