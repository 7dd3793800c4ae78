"""`neurorack list`: the instruments at hand, bundled and the user's."""

import json

import click


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: name, title, path, licence, bundled.")
def command(as_json: bool) -> None:
    """Show the instruments you have, bundled and your own.

    Your own are the .nrk files in the instruments folder of $NEURORACK_HOME, or of the place where your
    system keeps an application's data; the last line of the table names it. Any other .nrk can be given by
    its path.

    \b
    Examples:
      neurorack list
      neurorack list --json
    """
    from neurorack.core.library import installed, user_dir

    entries = installed()
    for entry in entries:
        if entry.fault:
            click.echo(f"Warning: {entry.fault}", err=True)
    usable = [entry for entry in entries if not entry.fault]
    if as_json:
        rows = [
            {
                "name": entry.name,
                "title": entry.title,
                "path": str(entry.path),
                "licence": entry.licence,
                "bundled": entry.bundled,
            }
            for entry in usable
        ]
        click.echo(json.dumps(rows, indent=1))
        return

    from rich.console import Console
    from rich.table import Table

    console = Console(markup=False, emoji=False, highlight=False)
    if usable:
        table = Table("Name", "Licence", "From", "File", box=None, padding=(0, 2, 0, 0))
        for entry in usable:
            table.add_row(entry.name, entry.licence, "bundled" if entry.bundled else "yours", str(entry.path))
        console.print(table)
    else:
        console.print("No instrument is installed yet.")
    console.print(f"Put your own .nrk files into {user_dir()}", soft_wrap=True)
