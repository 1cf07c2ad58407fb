"""What can go wrong with shopper tokens."""

from shared.errors import Forbidden


class NotAKey(Forbidden):
    """A token ends with the key that made it; what a member of staff made would outlive them."""

    code = "api_key_required"
    title = "Shopper tokens are minted with an API key of the shop's backend"
