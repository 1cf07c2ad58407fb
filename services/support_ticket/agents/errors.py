"""What can go wrong with staff and their teams."""

from shared.errors import FieldError, Invalid


class UnknownTeam(Invalid):
    """A team that nobody is in."""

    code = "unknown_team"
    title = "There is nobody in this team"

    def __init__(self) -> None:
        super().__init__(
            errors=[FieldError("/body/team_id", self.code, "Name a team with members")]
        )
