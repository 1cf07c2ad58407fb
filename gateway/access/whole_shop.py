"""What tells of every ticket and every customer, and so is for those who see them all."""

from typing import Any, Final

from fastapi import Depends

from shared.errors import Forbidden
from shared.security.principal import Visibility
from shared.web.routing import PrincipalDep


class SeesTooLittle(Forbidden):
    """It tells of the whole shop; who sees a part of the shop must not read it."""

    code = "whole_shop_required"
    title = "This is for those who see the whole shop"


async def check_visibility(principal: PrincipalDep) -> None:
    """Raises SeesTooLittle."""
    if principal.visibility is not Visibility.ALL:
        raise SeesTooLittle


WHOLE_SHOP: Final[Any] = Depends(check_visibility)
"""A dependency of routes, and of routers, that are for those who see the whole shop."""
