"""Limits that are on, and out of the way of tests that send a lot from one address."""

ROOMY_LIMITS = {
    f"CARELOOP_RATE_LIMIT_{kind}": "1000000/10"
    for kind in ("KEY", "STAFF", "SHOPPER", "SHOP", "ADDRESS", "PAGE", "HOOK")
}
