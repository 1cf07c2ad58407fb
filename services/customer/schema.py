"""The whole schema of the customer service: importing this fills `metadata` with every table."""

from services.customer.appointments import models as appointments
from services.customer.assignment import models as assignment
from services.customer.colleagues import models as colleagues
from services.customer.consents import models as consents
from services.customer.customers import models as customers
from services.customer.duplicates import models as duplicates
from services.customer.interactions import models as interactions
from services.customer.models import metadata
from services.customer.notes import models as notes
from services.customer.orders import models as orders
from services.customer.snapshots import models as snapshots
from services.customer.tasks import models as tasks
from services.customer.tenants import models as tenants
from services.customer.timeline import models as timeline

__all__ = [
    "appointments",
    "assignment",
    "colleagues",
    "consents",
    "customers",
    "duplicates",
    "interactions",
    "metadata",
    "notes",
    "orders",
    "snapshots",
    "tasks",
    "tenants",
    "timeline",
]
