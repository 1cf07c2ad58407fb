"""What schemas are called in the document, and so the types of generated clients.

The framework names some after its own ways: `Page_CustomerRead_` for a page of customers, the last
word of the operation for a form. Those get the names that a person would have given them.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from gateway.openapi.schemas import REF, closure, renamed

_PAGE: Final = re.compile(r"Page_(\w+?)(?:Read)?_")
_FORM: Final = "application/x-www-form-urlencoded"


def names_for(
    part: str, needed: Mapping[str, Any], paths: Mapping[str, Any], *, taken: Mapping[str, Any]
) -> dict[str, str]:
    """What each schema that a part needs is called in the merged document.

    `taken` is what the parts before have brought. A schema that means something else than theirs
    of the same name gets the part's name in front.
    """
    forms = _forms(paths)
    given = {name: forms.get(name) or _PAGE.sub(r"\1Page", name) for name in needed}
    own = {given[name]: renamed(schema, given) for name, schema in needed.items()}
    prefix = _camel(part)
    return {
        name: new
        if new not in taken or _meaning(new, own) == _meaning(new, taken)
        else prefix + new
        for name, new in given.items()
    }


def _forms(paths: Mapping[str, Any]) -> dict[str, str]:
    """The schemas of forms, named after the operations that take them."""
    forms: dict[str, str] = {}
    for item in paths.values():
        for operation in item.values():
            content = operation.get("requestBody", {}).get("content", {})
            ref = content.get(_FORM, {}).get("schema", {}).get("$ref")
            if ref and "operationId" in operation:
                forms[ref.removeprefix(REF)] = f"{_camel(operation['operationId'])}Form"
    return forms


def _camel(text: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[._-]", text))


def _differ(name: str, some: Mapping[str, Any], others: Mapping[str, Any]) -> bool:
    """Whether two documents mean different things by a name, with all that it refers to."""
    return _meaning(name, some) != _meaning(name, others)


def _meaning(name: str, schemas: Mapping[str, Any]) -> str:
    return json.dumps({each: schemas[each] for each in closure([name], schemas)}, sort_keys=True)
