"""The administrators' pages about what is published. Rows that workers write may only be read."""

from publishing.admin import assets, brands, jobs, videos

__all__ = ["assets", "brands", "jobs", "videos"]
