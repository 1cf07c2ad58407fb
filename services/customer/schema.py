"""The whole schema of the customer service: importing this fills `metadata` with every table."""

from services.customer.addresses import models as addresses
from services.customer.appointments import models as appointments
from services.customer.assignment import models as assignment
from services.customer.care_statistics import models as care_statistics
from services.customer.colleagues import models as colleagues
from services.customer.consents import models as consents
from services.customer.contacts import models as contacts
from services.customer.customers import models as customers
from services.customer.duplicate_scans import models as duplicate_scans
from services.customer.duplicates import models as duplicates
from services.customer.erased import models as erased
from services.customer.fields import models as fields
from services.customer.imports import models as imports
from services.customer.interactions import models as interactions
from services.customer.lead_forms import models as lead_forms
from services.customer.leads import models as leads
from services.customer.loyalty import models as loyalty
from services.customer.merges import models as merges
from services.customer.models import metadata
from services.customer.notes import models as notes
from services.customer.orders import models as orders
from services.customer.outcomes import models as outcomes
from services.customer.privacy import models as privacy
from services.customer.quality import models as quality
from services.customer.referrals import models as referrals
from services.customer.retention import models as retention
from services.customer.reviews import models as reviews
from services.customer.snapshots import models as snapshots
from services.customer.tasks import models as tasks
from services.customer.tenants import models as tenants
from services.customer.timeline import models as timeline
from services.customer.touches import models as touches
from services.customer.vouchers import models as vouchers

__all__ = [
    "addresses",
    "appointments",
    "assignment",
    "care_statistics",
    "colleagues",
    "consents",
    "contacts",
    "customers",
    "duplicate_scans",
    "duplicates",
    "erased",
    "fields",
    "imports",
    "interactions",
    "lead_forms",
    "leads",
    "loyalty",
    "merges",
    "metadata",
    "notes",
    "orders",
    "outcomes",
    "privacy",
    "quality",
    "referrals",
    "retention",
    "reviews",
    "snapshots",
    "tasks",
    "tenants",
    "timeline",
    "touches",
    "vouchers",
]
