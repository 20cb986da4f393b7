"""Sphinx configuration."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from evidence_pages import write_pages

project = "remyelin"
author = "The remyelin developers"
copyright = "2026, The remyelin developers"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "remyelin"
html_static_path = ["_static"]
html_js_files = ["evidence.js"]
html_css_files = ["evidence.css"]
exclude_patterns = ["_build"]
autodoc_typehints = "description"
autodoc_member_order = "bysource"
# Types of other libraries have no page here, and nothing is fetched to find theirs.
nitpick_ignore_regex = [("py:class", ".*")]
nitpicky = False


def setup(app):
    """Write the pages of the evidence base before the sources are read."""
    app.connect("builder-inited", lambda app: write_pages(Path(app.srcdir) / "evidence"))
