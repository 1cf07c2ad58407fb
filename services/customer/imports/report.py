"""What a portion of a file came to: counts, and lines of the outcome file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.customer.imports.outcomes import MEDIA_TYPE, counted, rendered
from services.customer.imports.plan import RowOutcome
from services.customer.imports.taking_in import RowIntake
from shared.jobs.files import JobFiles
from shared.jobs.work import HeldJob


@dataclass(slots=True)
class Report:
    """Of one portion; `counts` are those before it until it is summed up."""

    files: JobFiles
    job: HeldJob
    counts: Mapping[str, Any]
    intake: RowIntake
    outcomes: Sequence[RowOutcome]

    def sum_up(self) -> bytes:
        """The lines of the file; asks no server."""
        self.counts = counted(self.counts, self.outcomes, look_alikes=self.intake.look_alikes)
        return rendered(self.outcomes, is_first="result" not in self.job.files)

    async def write(self, lines: bytes) -> None:
        """Add them to the file of the job."""
        await self.files.write(
            self.job,
            "result",
            lines,
            rows=len(self.outcomes),
            file_name="outcome.csv",
            media_type=MEDIA_TYPE,
        )
