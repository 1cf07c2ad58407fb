"""What a visitor of a page says of languages."""

from typing import Annotated

from fastapi import Header, Query

from shared.languages import Language

Lang = Annotated[Language | None, Query(description="Language of the page")]
AcceptLanguage = Annotated[str | None, Header(include_in_schema=False)]
"""The header, for `shared.languages.preferred_language`."""
