"""`reflexarc know`: documents that the robot knows, and questions to them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from reflexarc.cli.output import JsonOption, err, out, print_json, table

if TYPE_CHECKING:
    from reflexarc.robot.knowledge import Answer, Changes, KnowledgeBase

verb = typer.Typer(help="Documents that the robot knows: add, ask, list, remove.")

_UNKNOWN = {"en": "I don't know.", "zh": "我不知道。"}


def register(app: typer.Typer, name: str) -> None:
    """Add the verb."""
    app.add_typer(verb, name=name, no_args_is_help=True)


StoreOption = Annotated[
    Path | None, typer.Option("--store", help="File of the knowledge base; default: yours.")
]


@verb.command()
def add(
    paths: Annotated[list[Path], typer.Argument(help="Markdown, text or PDF files, or folders.")],
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Add documents; those that changed or vanished since are noticed by themselves later."""
    with _open(store) as base, err.status("read documents"):
        changes = base.add(paths)
    _show_changes(changes, json)


@verb.command()
def remove(
    path: Annotated[Path, typer.Argument(help="A file or folder that was added.")],
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Forget documents. The files stay, and so does the robot's own manual."""
    with _open(store) as base:
        changes = base.remove(path)
    _show_changes(changes, json)


@verb.command("list")
def list_(store: StoreOption = None, json: JsonOption = False) -> None:
    """List every document that is known."""
    with _open(store) as base:
        _update(base)
        rows = [
            {"name": document.name, "path": str(document.path), "passages": passages}
            for document, passages in base.documents()
        ]
        sources = base.sources()
    if json:
        print_json({"documents": rows, "added": sources})
        return
    out.print(
        table(
            ("document", "passages", "path"),
            ((escape(str(r["name"])), str(r["passages"]), escape(str(r["path"]))) for r in rows),
        )
    )


@verb.command()
def ask(
    question: Annotated[str, typer.Argument(help="In English or Chinese.")],
    top: Annotated[int, typer.Option(min=1, max=20, help="At most so many passages.")] = 3,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Answer a question by quoting documents, with file, line and heading, or not at all."""
    with _open(store) as base:
        _update(base)
        answer = base.ask(question, top)
    if json:
        print_json(_as_dict(answer))
        return
    if not answer.known:
        from reflexarc.robot.words import language_of

        out.print(_UNKNOWN[language_of(question)])
        return
    for quote in answer.quotes:
        out.print(f"“{escape(quote.passage.text)}”", highlight=False, soft_wrap=True)
        out.print(f"  [dim]{escape(quote.place)}[/]\n", highlight=False, soft_wrap=True)


def _open(store: Path | None) -> KnowledgeBase:
    from reflexarc.robot.knowledge import KnowledgeBase

    return KnowledgeBase(store)


def _update(base: KnowledgeBase) -> None:
    with err.status("look for changes"):
        for failure in base.update().failed:
            err.print(f"[yellow]left out:[/] {escape(str(failure))}", soft_wrap=True)


def _as_dict(answer: Answer) -> dict[str, Any]:
    return {
        "question": answer.question,
        "known": answer.known,
        "nearness": round(answer.nearness, 4),
        "quotes": [
            {
                "text": quote.passage.text,
                "document": quote.name,
                "path": str(quote.path),
                "line": quote.passage.line,
                "heading": quote.passage.heading,
                "similarity": round(quote.similarity, 4),
            }
            for quote in (answer.quotes if answer.known else ())
        ],
    }


def _show_changes(changes: Changes, json: bool) -> None:
    if json:
        failed = [failure.as_dict() for failure in changes.failed]
        print_json({**asdict(changes), "failed": failed})
    else:
        for word in ("added", "changed", "removed"):
            for name in getattr(changes, word):
                out.print(f"{word} {escape(name)}", highlight=False, soft_wrap=True)
        for failure in changes.failed:
            err.print(f"[yellow]left out:[/] {escape(str(failure))}", soft_wrap=True)
    if changes.failed:
        raise typer.Exit(1)
