"""`{% part key %}<one element>{% endpart %}`: a piece that travels only when it changed (`monitoring.parts`)."""

from __future__ import annotations

import re

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from monitoring.parts import COLLECTED, Part, mark_of

register = template.Library()


@register.simple_block_tag(takes_context=True)
def part(context: template.Context, content: str, key: str) -> SafeString:
    """The element with the id `key` and the mark of what is in it."""
    mark = mark_of(f"{key} {content}")
    attributes = format_html(' id="{}" data-part="{}"', key, mark)
    html = re.sub(r"<\w+", lambda found: found[0] + attributes, content.strip(), count=1)
    context[COLLECTED].append(Part(key, mark, html))
    return mark_safe(html)  # noqa: S308  # what the template rendered, and attributes that were escaped
