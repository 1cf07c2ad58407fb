"""Wiring: how an endpoint gets the service it calls."""

from typing import Annotated, cast

from fastapi import Depends, Request

from services.messaging.automations.repository import AutomationRepository
from services.messaging.automations.service import AutomationService
from services.messaging.channels.repository import ChannelRepository
from services.messaging.inbound.repository import InboundRepository
from services.messaging.inbound.service import InboundService
from services.messaging.messages.repository import MessageRepository
from services.messaging.messages.service import MessageService
from services.messaging.policies.repository import PolicyRepository
from services.messaging.policies.service import PolicyService
from services.messaging.preferences.repository import SuppressionRepository
from services.messaging.preferences.service import PreferenceService, SuppressionService
from services.messaging.recipients.repository import RecipientRepository
from services.messaging.recipients.service import RecipientService
from services.messaging.reports.repository import ReportRepository
from services.messaging.reports.service import ReportService
from services.messaging.shops.repository import ShopRepository
from services.messaging.templates.repository import TemplateRepository
from services.messaging.templates.service import TemplateService
from services.messaging.wiring import Wiring
from shared.web.routing import UnitOfWorkDep


async def wiring(request: Request) -> Wiring:
    """What the requests of this process share."""
    return cast("Wiring", request.app.state.wiring)


WiringDep = Annotated[Wiring, Depends(wiring)]


async def template_service(uow: UnitOfWorkDep) -> TemplateService:
    """Templates in this request."""
    return TemplateService(
        uow=uow,
        templates=TemplateRepository(uow),
        recipients=RecipientRepository(uow),
        shops=ShopRepository(uow),
    )


async def policy_service(uow: UnitOfWorkDep) -> PolicyService:
    """The policy in this request."""
    return PolicyService(policies=PolicyRepository(uow))


async def message_service(uow: UnitOfWorkDep, wiring: WiringDep) -> MessageService:
    """Messages in this request."""
    return MessageService(
        messages=MessageRepository(uow),
        ledger=wiring.ledger(uow),
        templates=TemplateRepository(uow),
    )


async def automation_service(uow: UnitOfWorkDep, wiring: WiringDep) -> AutomationService:
    """Automations in this request."""
    return AutomationService(
        automations=AutomationRepository(uow),
        templates=TemplateRepository(uow),
        messages=MessageRepository(uow),
        ledger=wiring.ledger(uow),
        clock=uow.clock,
    )


async def preference_service(uow: UnitOfWorkDep, wiring: WiringDep) -> PreferenceService:
    """Unsubscribing in this request."""
    return PreferenceService(
        uow=uow,
        messages=MessageRepository(uow),
        suppressions=SuppressionRepository(uow),
        recipients=RecipientRepository(uow),
        shops=ShopRepository(uow),
        links=wiring.links,
    )


async def suppression_service(uow: UnitOfWorkDep) -> SuppressionService:
    """Suppressions in this request."""
    return SuppressionService(
        uow=uow,
        suppressions=SuppressionRepository(uow),
        recipients=RecipientRepository(uow),
    )


async def recipient_service(uow: UnitOfWorkDep, wiring: WiringDep) -> RecipientService:
    """Recipients in this request."""
    return RecipientService(
        recipients=RecipientRepository(uow),
        channels=ChannelRepository(uow, secrets=wiring.secrets),
        has_installation_channel=wiring.has_installation_channel,
    )


async def inbound_service(uow: UnitOfWorkDep, wiring: WiringDep) -> InboundService:
    """Inbound messages in this request."""
    return InboundService(
        uow=uow,
        inbound=InboundRepository(uow),
        recipients=RecipientRepository(uow),
        shops=ShopRepository(uow),
        privacy=wiring.privacy,
    )


async def report_service(uow: UnitOfWorkDep) -> ReportService:
    """Reports in this request."""
    return ReportService(reports=ReportRepository(uow))


TemplateServiceDep = Annotated[TemplateService, Depends(template_service)]
PolicyServiceDep = Annotated[PolicyService, Depends(policy_service)]
MessageServiceDep = Annotated[MessageService, Depends(message_service)]
AutomationServiceDep = Annotated[AutomationService, Depends(automation_service)]
PreferenceServiceDep = Annotated[PreferenceService, Depends(preference_service)]
SuppressionServiceDep = Annotated[SuppressionService, Depends(suppression_service)]
RecipientServiceDep = Annotated[RecipientService, Depends(recipient_service)]
InboundServiceDep = Annotated[InboundService, Depends(inbound_service)]
ReportServiceDep = Annotated[ReportService, Depends(report_service)]
