"""What a deployment would do, from what is wanted and what is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dashboards.deploy.plan import Action, Found, Grant, Plan, make_plan, read_access
from dashboards.deploy.wanted import Wanted, read_wanted
from schemas.errors import InputFileError


def wanted(name: str = "cohort", **more: Any) -> Wanted:
    uid = f"acrophase-{name}"
    model = {"uid": uid, "title": name.title(), "tags": ["acrophase", "wall"], "panels": []} | more
    return Wanted(f"{name}.json", uid, name.title(), model)


def found(of: Wanted, **more: Any) -> Found:
    """As Grafana has it right after we deployed it."""
    given: dict[str, Any] = {
        "model": of.model | {"id": 41, "version": 3},
        "folder_uid": "acrophase",
        "message": of.message(),
        "saved_by": "sa-deploy",
    }
    return Found(of.uid, **(given | more))


def plan(want: list[Wanted], have: list[Found]) -> Plan:
    return make_plan(
        want, {each.uid: each for each in have}, folder_missing=False, before=(), after=()
    )


def judged(want: Wanted, have: Found | None) -> tuple[Action, str]:
    (item,) = plan([want], [have] if have else []).items
    return item.action, item.reason


def test_what_is_not_there_is_created() -> None:
    assert judged(wanted(), None) == (Action.CREATE, "")


def test_what_is_there_is_unchanged_whatever_grafana_gave_it() -> None:
    one = wanted()
    assert judged(one, found(one)) == (Action.UNCHANGED, "")
    assert judged(one, found(one, model=one.model | {"id": 1, "version": 9, "iteration": 4})) == (
        Action.UNCHANGED,
        "",
    )
    assert not plan([one], [found(one)]).differs


def test_what_we_deployed_and_changed_since_is_updated() -> None:
    old, new = wanted(refresh="1m"), wanted(refresh="30s")
    assert judged(new, found(old)) == (Action.UPDATE, "")
    assert plan([new], [found(old)]).differs


def test_what_somebody_saved_is_edited_by_hand() -> None:
    one = wanted()
    hand = found(one, model=one.model | {"title": "Mine", "version": 4}, message="", saved_by="ann")
    assert judged(one, hand) == (Action.EDITED, "version 4 was saved by ann, not by us")
    named = found(one, model=hand.model, message="made it nicer")
    assert judged(one, named)[0] is Action.EDITED


def test_a_hand_that_made_what_is_wanted_is_no_hand() -> None:
    one = wanted()
    assert judged(one, found(one, message="restored"))[0] is Action.UNCHANGED


def test_a_newer_schema_is_grafanas_and_no_hand() -> None:
    one = wanted(schemaVersion=41)
    moved = found(one, model=one.model | {"schemaVersion": 99, "preload": False, "version": 1})
    assert judged(one, moved) == (Action.UNCHANGED, "Grafana keeps it in a form of its own")
    assert judged(wanted(schemaVersion=41, refresh="5m"), moved)[0] is Action.UPDATE


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"folder_uid": ""}, "another folder"),
        ({"folder_uid": "elsewhere"}, "another folder"),
        ({"provisioned": True}, "provisions it from files"),
        ({"model": wanted().model | {"tags": ["wall"], "title": "T"}}, "lacks the tag"),
        ({"model": wanted().model | {"tags": None}}, "lacks the tag"),
    ],
)
def test_what_is_not_ours_is_foreign(more: dict[str, Any], why: str) -> None:
    one = wanted()
    action, reason = judged(one, found(one, **more))
    assert action is Action.FOREIGN
    assert why in reason
    assert plan([], [found(one, **more)]).items == ()


def test_what_nobody_wants_is_orphaned() -> None:
    old = wanted("old")
    (item,) = plan([], [found(old)]).items
    assert (item.action, item.reason) == (Action.ORPHANED, "no file wants it any more")
    (item,) = plan([], [found(old, message="")]).items
    assert "saved by sa-deploy, not by us" in item.reason
    assert plan([], [found(old)]).differs


def test_the_diff_is_read_from_there_to_here() -> None:
    old, new = wanted(refresh="1m"), wanted(refresh="30s", description="ä")
    (item,) = plan([new], [found(old)]).items
    assert item.diff() == (
        "--- grafana/acrophase-cohort (version 3)\n"
        "+++ cohort.json\n"
        "@@ -1,6 +1,7 @@\n"
        " {\n"
        '+  "description": "ä",\n'
        '   "panels": [],\n'
        '-  "refresh": "1m",\n'
        '+  "refresh": "30s",\n'
        '   "tags": [\n'
        '     "acrophase",\n'
        '     "wall"\n'
    )
    (item,) = plan([new], []).items
    assert item.diff().startswith("--- /dev/null\n+++ cohort.json\n@@ -0,0 +1,")
    (item,) = plan([new], [found(new)]).items
    assert item.diff() == ""


def test_a_missing_folder_and_other_permissions_are_differences() -> None:
    view, edit = Grant("Viewer", 1), Grant("Editor", 2)

    def differs(missing: bool, before: tuple[Grant, ...], after: tuple[Grant, ...]) -> bool:
        return make_plan([], {}, folder_missing=missing, before=before, after=after).differs

    assert not differs(False, (view, edit), (edit, view))
    assert differs(True, (view,), (view,))
    assert differs(False, (view, edit), (view,))
    assert differs(False, (view, edit), (view, Grant("Editor", 1)))


def test_access_is_read_as_it_is_written() -> None:
    assert read_access("") == ()
    assert read_access("editor=admin,viewer=view") == (Grant("Editor", 4), Grant("Viewer", 1))
    for wrong in ("viewer", "admin=view", "viewer=see", "team:=view", "viewer=view editor=view"):
        with pytest.raises(ValueError, match=r"is not viewer\|editor\|team:NAME"):
            read_access(wrong)


def put(folder: Path, name: str, content: object) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / name).write_text(text)


def test_a_folder_of_files_is_read_by_uid(tmp_path: Path) -> None:
    put(tmp_path, "a.json", wanted("subject").model)
    put(tmp_path, "b.json", wanted("cohort").model)
    put(tmp_path, "notes.txt", "no dashboard")
    read = read_wanted(tmp_path)
    assert [(each.uid, each.file) for each in read] == [
        ("acrophase-cohort", "b.json"),
        ("acrophase-subject", "a.json"),
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "is not JSON"),
        ([1], "should be one JSON object"),
        (wanted().model | {"uid": "cohort"}, "ours begin with 'acrophase-'"),
        (wanted().model | {"uid": "acrophase-" + "x" * 31}, "at most 40"),
        (wanted().model | {"uid": None}, "uid is None"),
        (wanted().model | {"title": " "}, "has no title"),
        (wanted().model | {"tags": ["wall"]}, "lacks the tag 'acrophase'"),
    ],
)
def test_a_file_that_is_no_dashboard_of_ours_is_named(
    content: object, why: str, tmp_path: Path
) -> None:
    put(tmp_path, "wrong.json", content)
    with pytest.raises(InputFileError, match=why) as caught:
        read_wanted(tmp_path)
    assert "wrong.json" in str(caught.value)


def test_no_files_and_two_of_one_uid_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="holds no dashboard"):
        read_wanted(tmp_path)
    with pytest.raises(InputFileError, match="holds no dashboard"):
        read_wanted(tmp_path / "nowhere")
    put(tmp_path, "a.json", wanted().model)
    put(tmp_path, "b.json", wanted().model)
    with pytest.raises(InputFileError, match=r"b\.json and a\.json have the same uid"):
        read_wanted(tmp_path)
