"""The customer service's HTTP application."""

from fastapi import FastAPI

from services.customer.addresses.endpoints import router as addresses
from services.customer.addresses.units import units
from services.customer.appointments.calendar_endpoints import page_router as calendar_pages
from services.customer.appointments.calendar_endpoints import router as calendars
from services.customer.appointments.endpoints import router as appointments
from services.customer.assignment.endpoints import router as assignment
from services.customer.care_statistics.endpoints import router as care_statistics
from services.customer.consents.endpoints import router as consents
from services.customer.consents.text_endpoints import router as consent_texts
from services.customer.contacts.endpoints import router as contacts
from services.customer.customers.endpoints import router as customers
from services.customer.duplicate_scans.endpoints import router as duplicate_scans
from services.customer.exports.endpoints import router as exports
from services.customer.fields.endpoints import router as fields
from services.customer.fields.known import KnownFields
from services.customer.fields.repository import field_marks
from services.customer.identities.endpoints import router as identities
from services.customer.imports.endpoints import router as imports
from services.customer.imports.space import ImportLimits
from services.customer.interactions.endpoints import router as interactions
from services.customer.jobs import build_job_kinds
from services.customer.lead_forms.endpoints import router as lead_forms
from services.customer.leads.endpoints import router as leads
from services.customer.leads.page_endpoints import router as lead_pages
from services.customer.loyalty.endpoints import router as loyalty
from services.customer.merges.duplicate_endpoints import router as duplicates
from services.customer.merges.endpoints import router as merges
from services.customer.notes.endpoints import router as notes
from services.customer.orders.endpoints import router as orders
from services.customer.outcomes.endpoints import router as outcomes
from services.customer.privacy.endpoints import router as privacy_requests
from services.customer.privacy.hold_endpoints import router as legal_holds
from services.customer.provenance.endpoints import router as provenance
from services.customer.quality.endpoints import router as quality
from services.customer.reassignments.endpoints import router as reassignments
from services.customer.referrals.endpoints import router as referrals
from services.customer.reports.endpoints import router as reports
from services.customer.retention.endpoints import router as retention
from services.customer.reviews.endpoints import router as reviews
from services.customer.settings import CustomerSettings
from services.customer.tasks.endpoints import router as tasks
from services.customer.tenants.shops import Shops
from services.customer.timeline.endpoints import router as timeline
from services.customer.touches.endpoints import router as touches
from services.customer.vouchers.endpoints import router as vouchers
from shared.clock import Clock
from shared.part.app import create_part_app
from shared.part.context import build_context
from shared.web.field_marks import ShopMarks, attach_field_marks

ROUTERS = (
    # Before the customers, whose ids stand at the same place.
    provenance,
    *(customers, identities, addresses, contacts, consents, consent_texts),
    # Before the candidates, whose ids stand at the same place.
    duplicate_scans,
    *(orders, timeline, duplicates, merges, tasks),
    # Before the interactions, whose ids stand at the same place.
    care_statistics,
    *(interactions, notes, appointments, calendars, calendar_pages),
    *(outcomes, assignment, reassignments),
    *(lead_forms, leads, lead_pages, touches),
    *(loyalty, vouchers, referrals, reviews),
    *(privacy_requests, legal_holds, retention),
    *(fields, exports, imports, quality, reports),
)


def create_app(settings: CustomerSettings, *, clock: Clock | None = None) -> FastAPI:
    """The application of one process."""
    context = build_context(settings, clock)
    app = create_part_app(
        context,
        title="Careloop customer service",
        description="Who the customers are: profiles, identities, orders, consents, timeline.",
        routers=ROUTERS,
        job_kinds=build_job_kinds(context),
    )
    app.state.shops = Shops()
    app.state.fields = KnownFields()
    attach_field_marks(app, ShopMarks(field_marks))
    app.state.import_limits = ImportLimits(
        files=settings.import_waiting_files, bytes=settings.import_waiting_bytes
    )
    units()  # Read while nobody waits for an address.
    return app
