"""The segmentation service, for the composition."""

from fastapi import FastAPI

from cli.parts.service import Service
from services.segmentation.handlers import build_handlers
from services.segmentation.settings import SegmentationSettings
from services.segmentation.worker import build_worker


def create_app(settings: SegmentationSettings) -> FastAPI:
    """The API. A worker does without its routes: it starts sooner and is smaller for it."""
    from services.segmentation.app import create_app  # noqa: PLC0415

    return create_app(settings)


SERVICE = Service(SegmentationSettings, create_app, build_worker, build_handlers)
