"""One command a file; ``acrophase.cli`` imports each when it is called and not before."""
