"""The page in `web/`, laid out as a static folder with models of one's own."""
