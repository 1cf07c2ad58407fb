"""What tests may connect to: servers of theirs on loopback, as an operator would allow it."""

from shared.outbound.guard import AllowList, OutboundGuard

LOOPBACK = "127.0.0.0/8,::1,localhost"
LOOPBACK_ALLOWED = OutboundGuard(AllowList.parse(LOOPBACK))
