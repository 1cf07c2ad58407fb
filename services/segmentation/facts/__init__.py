"""What this service knows about customers: its own projection of the other services' events."""
