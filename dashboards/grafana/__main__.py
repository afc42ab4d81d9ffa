"""Write the generated files: ``python -m dashboards.grafana``."""

from pathlib import Path

from dashboards.grafana.generate import texts

HERE = Path(__file__).parent


def main() -> None:
    """Write what has changed, and remove what is generated no more."""
    made = texts()
    for folder in ("generated", "provisioning"):
        for path in (HERE / folder).rglob("*.*"):
            if path.relative_to(HERE).as_posix() not in made:
                path.unlink()
    for name, text in made.items():
        path = HERE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
