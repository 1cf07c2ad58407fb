"""The segmentation service, for the composition."""

from cli.parts.service import Service
from services.segmentation.app import create_app
from services.segmentation.handlers import build_handlers
from services.segmentation.settings import SegmentationSettings
from services.segmentation.worker import build_worker

SERVICE = Service(SegmentationSettings, create_app, build_worker, build_handlers)
