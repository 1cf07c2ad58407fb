"""What can be wrong with a template."""

from shared.errors import Invalid, NotFound


class TemplateNotFound(NotFound):
    """No such template in this tenant."""

    code = "template_not_found"
    title = "There is no such template"


class TemplateNotValid(Invalid):
    """A part of a template cannot be parsed; `errors` says which and why."""

    code = "template_not_valid"
    title = "The template is not valid"


class TemplateNotRenderable(Invalid):
    """A template does not render with these variables."""

    code = "template_not_renderable"
    title = "The template cannot be rendered"


class TemplateVariableMissing(TemplateNotRenderable):
    """A template uses a variable that was not given."""

    code = "template_variable_missing"
    title = "The template needs a variable that is missing"


class RenderError(Exception):
    """Rendering failed; the message says why."""

    reason = "TEMPLATE_ERROR"


class TemplateSyntax(RenderError):
    """The source is not a template."""


class VariableMissing(RenderError):
    """The template uses a variable that is not there or is null."""

    reason = "TEMPLATE_VARIABLE_MISSING"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is missing")
        self.name = name
