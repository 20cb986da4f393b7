"""Sphinx configuration."""

project = "remyelin"
author = "The remyelin developers"
copyright = "2026, The remyelin developers"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "remyelin"
html_static_path = ["_static"]
exclude_patterns = ["_build"]
autodoc_typehints = "description"
autodoc_member_order = "bysource"
# Types of other libraries have no page here, and nothing is fetched to find theirs.
nitpick_ignore_regex = [("py:class", ".*")]
nitpicky = False
