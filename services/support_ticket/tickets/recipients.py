"""Whom answers and surveys of a ticket go to."""

from services.support_ticket.customers.repository import CustomerProfile
from services.support_ticket.tickets.record import Ticket
from shared.contracts.support_ticket import Recipient


def recipient_of(ticket: Ticket, profile: CustomerProfile | None) -> Recipient:
    """The address the requester gave for this ticket, or else what is known of the customer."""
    name = ticket.contact_name or (profile.name if profile else None)
    email = ticket.contact_email or (profile.email if profile else None)
    phone = ticket.contact_phone or (profile.phone if profile else None)
    return Recipient(
        customer_id=ticket.customer_id,
        name=name,
        email=email,
        phone=phone,
        locale=profile.locale if profile else None,
    )
