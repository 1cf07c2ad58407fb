"""What can go wrong with teams."""

from shared.errors import Conflict, Forbidden, NotFound


class TeamNotFound(NotFound):
    """No such team in this shop."""

    code = "team_not_found"
    title = "There is no such team"


class TeamNameTaken(Conflict):
    """Two teams of one name would be mistaken for each other."""

    code = "team_name_taken"
    title = "There is a team of this name"


class TooManyTeams(Conflict):
    """Every request of a member carries their teams; there is room for some."""

    code = "too_many_teams"
    title = "A member of staff belongs to 20 teams at most"


class TeamNotYours(Forbidden):
    """Who sees what their teams see would see more by joining another, or by filling it."""

    code = "team_not_yours"
    title = "You can only change who is in a team of your own"
