"""The help centre's articles."""

from __future__ import annotations

from .world import Json, World


def load(world: World) -> None:
    articles: list[Json] = [
        {"title": f"Article {number}", "body": f"<p>{number}</p>", "updated_at": f"2026-01-0{number}T00:00:00Z"}
        for number in range(1, 6)
    ]
    articles += [{"title": "Draft", "draft": True}, {"title": "Staff", "user_segment_id": 7, "body": None}]
    world.steer("/help_center/articles", {"articles": articles})


def test_public_articles_need_no_key_but_the_suffix(world: World) -> None:
    load(world)
    path = "/api/v2/help_center/articles"
    assert world.anonymous.get(path).status_code == 415
    page = world.anonymous.get(f"{path}.json", params={"page[size]": "3", "sort_by": "updated_at"}).json()
    assert [article["title"] for article in page["articles"]] == ["Article 1", "Article 2", "Article 3"]
    assert page["meta"]["has_more"] is True
    rest = world.anonymous.get(f"{path}.json", params={"page[size]": "3", "page[after]": page["meta"]["after_cursor"]})
    assert [article["draft"] for article in rest.json()["articles"]] == [False, False]
    offset = world.anonymous.get(f"{path}.json", params={"per_page": "2"}).json()
    assert (offset["count"], len(offset["articles"])) == (5, 2)
    assert offset["next_page"].endswith("articles.json?page=2&per_page=2")
    assert len(world.anonymous.get("/api/v2/help_center/en-us/articles.json").json()["articles"]) == 5
    assert world.anonymous.get("/api/v2/help_center/de/articles.json").json()["articles"] == []


def test_agents_see_drafts_and_segments(world: World) -> None:
    load(world)
    titles = [article["title"] for article in world.zendesk.get("/help_center/articles.json").json()["articles"]]
    assert {"Draft", "Staff"} <= set(titles)


def test_incremental_gives_what_changed_since(world: World) -> None:
    load(world)
    path = "/api/v2/help_center/incremental/articles.json"
    changed = world.anonymous.get(path, params={"start_time": "1767398400"}).json()  # 2026-01-03
    assert [article["title"] for article in changed["articles"]] == ["Article 3", "Article 4", "Article 5"]
    assert changed["next_page"] is None
    again = world.anonymous.get(path, params={"start_time": str(changed["end_time"])}).json()
    assert again["end_time"] == changed["end_time"]
    assert world.anonymous.get(path).status_code == 400


def test_the_list_of_changes_has_a_budget_of_its_own(world: World) -> None:
    load(world)
    world.steer("/settings", {"enforce_rate_limit": True})
    path, asked = "/api/v2/help_center/incremental/articles.json", {"start_time": "0"}
    answers = [world.anonymous.get(path, params=asked).status_code for _ in range(25)]  # a minute may end among them
    assert 429 in answers
    assert world.anonymous.get("/api/v2/help_center/articles.json").status_code == 200
    world.steer("/settings", {"enforce_rate_limit": False})
