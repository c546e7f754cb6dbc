"""What publishing does when an account connects or disconnects."""
