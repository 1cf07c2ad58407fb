"""The whole schema of this service: importing this fills `metadata` with every table."""

from services.segmentation.facts import models as facts
from services.segmentation.membership import models as membership
from services.segmentation.models import metadata
from services.segmentation.runs import models as runs
from services.segmentation.segments import models as segments
from services.segmentation.tenants import models as tenants

__all__ = ["facts", "membership", "metadata", "runs", "segments", "tenants"]
