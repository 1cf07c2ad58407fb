"""The rule language: JSON in, a checked tree, and from it SQL, truth values and reasons.

`parse_rule` checks a rule once; `compile_rule` makes the SQL predicate that runs over a tenant,
`evaluate` and `explain` say the same of one customer in memory, `next_flip` and `crossings` tell
when time alone changes the answer, and `facts_used` which events can. What not every caller may
ask is in `personal_leaves`.
`docs/segment-rules.md` is the language's reference.
"""

from services.segmentation.rules.compile import compile_rule
from services.segmentation.rules.crossings import crossings
from services.segmentation.rules.errors import RuleInvalid
from services.segmentation.rules.evaluate import Explanation, evaluate, explain
from services.segmentation.rules.flips import next_flip
from services.segmentation.rules.parse import RuleJson, parse_rule
from services.segmentation.rules.rendering import explanation_json
from services.segmentation.rules.tree import Rule
from services.segmentation.rules.usage import facts_used, personal_leaves

__all__ = [
    "Explanation",
    "Rule",
    "RuleInvalid",
    "RuleJson",
    "compile_rule",
    "crossings",
    "evaluate",
    "explain",
    "explanation_json",
    "facts_used",
    "next_flip",
    "parse_rule",
    "personal_leaves",
]
