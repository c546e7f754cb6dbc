"""What the commands for people and scripts share: answers as JSON, bars in the terminal, what options mean."""
