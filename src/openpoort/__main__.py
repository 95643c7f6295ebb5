"""`python -m openpoort` is the same program as the console script."""

from openpoort.cli import main

if __name__ == "__main__":
    main()
