"""The rule of a dynamic segment: from JSON to a checked tree, from the tree to SQL."""

from app.audiences.rules.conditions import rule_condition
from app.audiences.rules.parsing import parse_rule
from app.audiences.rules.tree import Condition, Rule

__all__ = ["Condition", "Rule", "parse_rule", "rule_condition"]
