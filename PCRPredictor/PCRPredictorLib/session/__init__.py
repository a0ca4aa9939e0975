"""One exam on the table: what panel and page do with it, without Qt, trame or a scene."""
