"""What can go wrong with orders."""

from shared.errors import Conflict, FieldError, Invalid, LostRace, NotFound


class OrderNotFound(NotFound):
    """No such order in this tenant."""

    code = "order_not_found"
    title = "There is no such order"


class OrderJustArrived(LostRace):
    """Somebody else kept the same order at the same moment; trying again will find it."""

    code = "order_just_arrived"
    title = "The same order has just been kept by another request"


class OrderFiguresTooLarge(Invalid):
    """The orders of a customer add up to more than can be kept."""

    code = "order_figures_too_large"
    title = "The orders of this customer would add up to more than can be kept"


class TooManyOrderParts(Conflict):
    """An order has as many payments (refunds, …) as there is room for."""

    code = "too_many_order_parts"
    title = "An order has at most 200 payments, refunds, returns and fulfillments each"


class NotYetHappened(Invalid):
    """Orders are placed, and news of them is of something that was."""

    code = "not_yet_happened"
    title = "Nothing happens to an order more than a day ahead"

    def __init__(self, pointer: str) -> None:
        detail = "Give a moment that has been; a day ahead at most, for clocks that differ"
        super().__init__(errors=[FieldError(pointer, self.code, detail)])


class OrderCurrencyMismatch(Invalid):
    """An amount is not in the currency of its order."""

    def __init__(self, currency: str, pointer: str = "/body/amount/currency") -> None:
        detail = f"The order's currency is {currency}"
        super().__init__(errors=[FieldError(pointer, "currency_mismatch", detail)])
