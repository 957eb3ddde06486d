"""`python -m reflexarc.cli`."""

from reflexarc.cli.main import main

main()
