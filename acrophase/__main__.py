"""``python -m acrophase`` is the ``acrophase`` command."""

from acrophase.cli import main

if __name__ == "__main__":
    main()
