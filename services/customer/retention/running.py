"""A run: rule by rule, page by page, each page one transaction that can be gone on from."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row

from services.customer.privacy.erasing import Erasing
from services.customer.privacy.laws import law_of
from services.customer.retention.candidates import Candidate, Candidates, Place
from services.customer.retention.catalogue import RECORDED
from services.customer.retention.following import AGAIN, BY_CLOCK, CHANGED, Following, Page
from services.customer.retention.judging import RuleTerms
from services.customer.retention.listing import Line, as_csv
from services.customer.retention.presets import ACCOUNTS
from services.customer.retention.repository import RetentionRepository
from services.customer.retention.views import run_state
from services.customer.tenants.shops import Shop
from shared.contracts.retention import RetentionRunFinished
from shared.db.unit_of_work import UnitOfWork
from shared.jobs.files import JobFiles
from shared.jobs.work import Done, Going, HeldJob, Step

_SAMPLES: Final = 10
# On which way entries are found of whom a rule by their age has left alone.
_AGAIN_OF: Final = f"{AGAIN}:"
# Each of them is a walk through every table that has something of people.
_MOST_ERASURES: Final = 10
# What was being written when the run before began may have been committed later.
_OVERLAP: Final = timedelta(hours=1)
# The list is a convenience: a run does not end because there is no more room for it.
_MOST_LISTED: Final = 200 * 2**20


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands: at which rule, on which way of finding who is due, at which place."""

    rule: int = 0
    way: int = 0
    place: Place = field(default_factory=Place)
    done: int = 0
    samples: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Self:
        """The same from a job's state."""
        return cls(**{**state, "place": Place.of(state["place"])}) if state else cls()

    def state(self) -> dict[str, Any]:
        """The same for a job's state."""
        return {
            "rule": self.rule,
            "way": self.way,
            "place": self.place.kept(),
            "done": self.done,
            "samples": dict(self.samples),
        }

    def next_rule(self) -> "Progress":
        """At the beginning of the next rule."""
        return replace(self, rule=self.rule + 1, way=0, place=Place())

    def behind(self, rule_id: str, page: Page, last: Candidate | None) -> "Progress":
        """Behind a page; where that was the last of a way, at the beginning of the next."""
        known = dict.fromkeys([*self.samples.get(rule_id, ()), *page.ids])
        after = replace(
            self,
            done=self.done + page.looked_at,
            samples={**self.samples, rule_id: list(known)[:_SAMPLES]},
        )
        if last is None:
            return replace(after, way=self.way + 1, place=Place())
        return replace(after, place=Place(last.at, last.id))


class RetentionRun:
    """One run inside one unit of work, for the length of one step."""

    def __init__(
        self,
        uow: UnitOfWork,
        *,
        job: HeldJob,
        shop: Shop,
        erasing: Erasing,
        files: JobFiles,
        page_size: int,
    ) -> None:
        self._uow = uow
        self._job = job
        self._shop = shop
        self._zone = ZoneInfo(shop.timezone)
        self._erasing = erasing
        self._files = files
        self._page_size = page_size
        self._retention = RetentionRepository(uow)

    async def step(self) -> Step:
        """Look at the next page of the rule that it is at."""
        run = await self._retention.run(self._job.id)
        progress = Progress.of(self._job.state)
        if progress.rule == len(run.rules):
            return await self._finish(run, progress)
        told = run.rules[progress.rule]
        rule = await self._retention.find_rule(UUID(told["rule_id"]))
        if rule is None or rule.version != told["version"]:
            return await self._go_on(run, progress.next_rule(), {**told, "status": "changed"})
        turn = _Turn(run, rule, self._terms(rule, run))
        if progress.way == len(turn.ways):
            await turn.end(self._retention)
            return await self._go_on(run, progress.next_rule(), {**told, "status": "done"})
        if progress.way == 0 and progress.place == Place():
            await turn.begin(self._retention)
        at_most = self._page_size
        if turn.terms.ends_the_person:
            at_most = min(at_most, _MOST_ERASURES)
        candidates = Candidates(self._uow, zone=self._zone, at_most=at_most)
        found = await turn.candidates(candidates, progress)
        page = await self._follow(turn, turn.ways[progress.way], found)
        await self._list(told["name"], page.lines)
        last = found[-1] if len(found) == at_most else None
        return await self._go_on(
            run, progress.behind(told["rule_id"], page, last), _counted(told, page)
        )

    async def end(self, status: str) -> None:
        """Say how it ended; what it has done stays done."""
        ended = {"status": status, "finished_at": self._uow.clock.now()}
        row = await self._retention.save_run(self._job.id, ended)
        self._uow.append(RetentionRunFinished(run=run_state(row)), key=row.id)

    def _terms(self, rule: Row[*tuple[Any, ...]], run: Row[*tuple[Any, ...]]) -> RuleTerms:
        return RuleTerms(
            id=rule.id,
            data=tuple(rule.data),
            clock=rule.clock,
            period=rule.period,
            action=rule.action,
            applies_to=rule.applies_to,
            # However long the run takes, it asks who is due as of its beginning.
            now=run.started_at,
            zone=self._zone,
            accounts_period=ACCOUNTS[law_of(self._shop.country)],
        )

    async def _follow(self, turn: "_Turn", way: str, found: Sequence[Candidate]) -> Page:
        if not found:
            return Page()
        following = Following(
            self._uow,
            turn.terms,
            run_id=turn.run.id,
            is_dry=turn.is_dry,
            erasing=self._erasing,
        )
        if turn.terms.clock == RECORDED:
            return await following.see_to_entries(way.removeprefix(_AGAIN_OF), found)
        return await following.see_to_people(way, found)

    async def _go_on(
        self, run: Row[*tuple[Any, ...]], progress: Progress, told: Mapping[str, Any]
    ) -> Step:
        rules = [told if each["rule_id"] == told["rule_id"] else each for each in run.rules]
        await self._retention.save_run(run.id, {"rules": rules})
        return Going(done=progress.done, state=progress.state())

    async def _finish(self, run: Row[*tuple[Any, ...]], progress: Progress) -> Step:
        if run.kind == "dry_run" and not self._job.files:
            await self._write(as_csv("", [], is_first=True), rows=0)
        await self.end("finished")
        return Done(done=progress.done, detail={"samples": dict(progress.samples)})

    async def _list(self, rule: str, lines: Sequence[Line]) -> None:
        file = self._job.files.get("result")
        if lines and (file is None or file["bytes"] < _MOST_LISTED):
            await self._write(as_csv(rule, lines, is_first=file is None), rows=len(lines))

    async def _write(self, content: bytes, *, rows: int) -> None:
        await self._files.write(
            self._job,
            "result",
            content,
            rows=rows,
            file_name="retention.csv",
            media_type="text/csv; charset=utf-8",
        )


@dataclass(frozen=True, slots=True)
class _Turn:
    """A rule's turn in a run."""

    run: Row[*tuple[Any, ...]]
    rule: Row[*tuple[Any, ...]]
    terms: RuleTerms

    @property
    def is_dry(self) -> bool:
        """Whether nothing is to change."""
        return bool(self.run.kind == "dry_run")

    @property
    def is_full(self) -> bool:
        """Whether everybody is looked at, and not only who has become due since.

        On the first of a month so that what was added late to somebody long due is found.
        """
        is_first = self.run.started_at.astimezone(self.terms.zone).day == 1
        return self.run.kind != "nightly" or self.rule.looked_until is None or is_first

    @property
    def ways(self) -> Sequence[str]:
        """On which ways those who are due are found; of entries, which entries."""
        if self.terms.clock == RECORDED:
            names = self.terms.data
            return names if self.is_full else [*names, *(f"{_AGAIN_OF}{name}" for name in names)]
        return [BY_CLOCK] if self.is_full else [BY_CLOCK, CHANGED, AGAIN]

    async def begin(self, retention: RetentionRepository) -> None:
        """Whoever looks at everybody finds anew whom to leave alone."""
        if self.is_full and not self.is_dry:
            await retention.forget_exceptions(self.rule.id)

    async def end(self, retention: RetentionRepository) -> None:
        """From now on only who becomes due is looked at."""
        if not self.is_dry:
            if self.terms.clock == RECORDED:
                await retention.forget_exceptions_until(self.rule.id, self.run.started_at)
            until, at = self.terms.over_before, self.run.started_at
            await retention.mark_looked(self.rule.id, self.rule.version, until=until, at=at)

    async def candidates(self, candidates: Candidates, progress: Progress) -> list[Candidate]:
        """The next of those who may be due."""
        clock, until, place = self.terms.clock, self.terms.over_before, progress.place
        way = self.ways[progress.way]
        since = None if self.is_full else self.rule.looked_until
        if way.startswith(_AGAIN_OF):
            name = way.removeprefix(_AGAIN_OF)
            return await candidates.oldest_again(name, self.rule.id, place, self.rule.looked_until)
        if clock == RECORDED:
            return await candidates.oldest(way, place, since, until)
        if way == AGAIN:
            return await candidates.again(self.rule.id, place, self.run.started_at)
        if way == CHANGED:
            news, begun = self.rule.looked_at - _OVERLAP, self.run.started_at
            return await candidates.changed(clock, place, news, until, begun=begun)
        return await candidates.by_clock(clock, place, since, until)


def _counted(told: Mapping[str, Any], page: Page) -> dict[str, Any]:
    return {
        **told,
        "status": "running",
        "looked_at": told["looked_at"] + page.looked_at,
        "people": told["people"] + page.people if told["people"] is not None else None,
        "amounts": _sum(told["amounts"], page.amounts),
        "left_alone": _sum(told["left_alone"], page.left_alone),
    }


def _sum(before: Mapping[str, int], more: Iterable[str] | Mapping[str, int]) -> dict[str, int]:
    return dict(Counter(before) + Counter(more))
