"""The templates as a shop sees them."""

from typing import Any

from services.segmentation.segments.schemas import (
    LocalizedName,
    SegmentTemplateRead,
    TemplateParameter,
)
from services.segmentation.segments.templates import TEMPLATES, Parameters, Template
from services.segmentation.tenants.repository import ShopRepository


class TemplateService:
    """What one tenant can make segments of."""

    def __init__(self, *, shops: ShopRepository) -> None:
        self._shops = shops

    async def list_all(self) -> list[SegmentTemplateRead]:
        """Every template, its rule in the shop's currency."""
        currency = (await self._shops.read()).currency
        return [_read(template, currency) for template in TEMPLATES.values()]


def _read(template: Template, currency: str) -> SegmentTemplateRead:
    schema = template.parameters.model_json_schema()
    properties: dict[str, dict[str, Any]] = schema["properties"]
    # Whom a template is about is asked after its own figures.
    names = sorted(properties, key=lambda name: name in Parameters.model_fields)
    return SegmentTemplateRead(
        key=template.key,
        name=LocalizedName(**template.name),
        description=LocalizedName(**template.description),
        parameters=[_parameter(name, properties[name]) for name in names],
        rule=template.parameters().rule(currency),
    )


def _parameter(name: str, schema: dict[str, Any]) -> TemplateParameter:
    options = schema.get("enum")
    return TemplateParameter(
        name=name,
        type="integer" if options is None else "choice",
        description=schema["description"],
        default=schema["default"],
        minimum=schema.get("minimum"),
        maximum=schema.get("maximum"),
        options=options,
    )
