"""`python -m understudy`, the same as `understudy`."""

from understudy.cli import main

if __name__ == "__main__":
    main()
