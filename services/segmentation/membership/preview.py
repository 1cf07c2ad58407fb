"""Who would belong, if a rule were in force."""

from services.segmentation.membership.evaluation import TENANT, count_matches, newest_matches
from services.segmentation.membership.schemas import PreviewRead, PreviewRequest, SampleCustomer
from services.segmentation.rules import compile_rule, parse_rule
from services.segmentation.segments.permission import check_may_ask
from services.segmentation.segments.service import template_rule
from services.segmentation.tenants.repository import ShopRepository
from shared.audit.trail import AuditEntry
from shared.contracts.audit import AuditSubject
from shared.db.unit_of_work import UnitOfWork
from shared.pii import PII_READ
from shared.security.principal import Principal


class PreviewService:
    """Tries rules on the customers of one tenant."""

    def __init__(self, *, uow: UnitOfWork, shops: ShopRepository) -> None:
        self._uow = uow
        self._shops = shops

    async def preview(self, wanted: PreviewRequest, *, principal: Principal) -> PreviewRead:
        """How many would belong, and some of them.

        Raises PersonalRule, TemplateNotFound, Invalid.
        """
        shop = await self._shops.read()
        source = wanted.source() or template_rule(wanted.template, currency=shop.currency)
        check_may_ask(principal, source, marked=await self._shops.marks())
        now = self._uow.clock.now()
        predicate = compile_rule(
            parse_rule(source), tenant_id_param=TENANT, as_of=now, timezone=shop.timezone
        )
        tenant = {"tenant": self._uow.tenant_id}
        counts = await self._uow.one(count_matches(predicate), tenant)
        sample = await self._uow.rows(
            newest_matches(predicate), {**tenant, "limit": wanted.sample_size}
        )
        if sample and PII_READ in principal.scopes:
            # A POST that shows names: to the audit log it is a look at customers.
            subjects = [AuditSubject(object="customer", id=str(row.customer_id)) for row in sample]
            self._uow.record(AuditEntry(subjects, kind="read"))
        return PreviewRead(
            count=counts.matching,
            total=counts.total,
            sample=[SampleCustomer.model_validate(dict(row._mapping)) for row in sample],
            as_of=now,
        )
