"""What monitoring counts when publishing, or a call to TikTok, tells it something."""
